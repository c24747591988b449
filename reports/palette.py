"""The colours of the pictures, each with its use."""

from typing import Final

INK: Final = "#1b2433"
QUIET: Final = "#5b6778"
HAIRLINE: Final = "#b8c2cf"
PANEL: Final = "#f5f7fa"
ACCENT: Final = "#1f5fa8"
NORM_BAND: Final = "#d5e5d3"
NORM_LINE: Final = "#5c8a57"

#: Behind the line that says this was not measured: seen first, on any screen.
WARNING: Final = "#ffcf4d"

#: Behind the words that say there is no estimate.
REFUSED: Final = "#fdecea"
REFUSED_INK: Final = "#9b1c1c"
