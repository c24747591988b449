"""`python -m tests.fuzz TARGET [options of libFuzzer]`: search with Atheris for what breaks one.

python -m tests.fuzz header -runs=1000000 -max_len=4096

Atheris is no part of the lock: it is for developers, on Linux and macOS (docs/developing.md).
"""

import logging
import sys
import tempfile
from pathlib import Path

import atheris
import structlog

with atheris.instrument_imports(include=["dicom_node", "api.dicomweb"]):
    from tests.fuzz.targets import TARGETS

from tests.fuzz.seeds import seeds_of


def main() -> None:
    """Fuzz one target until the runs are done or it breaks; the input that did is kept."""
    name, *options = sys.argv[1:] or ["?"]
    if name not in TARGETS:
        sys.exit(f"name a target: {', '.join(TARGETS)}")
    # What is refused is logged, a thousand times a second here.
    quiet = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=quiet)
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(seeds_of(name)):
            (Path(corpus) / str(number)).write_bytes(seed)
        atheris.Setup([sys.argv[0], *options, corpus], TARGETS[name])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
