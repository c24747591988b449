"""`python -m arcuate`, the same as the command `arcuate`."""

from arcuate.cli import main

main()
