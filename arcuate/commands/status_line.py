"""One line on the terminal that says what is going on, without a thread of its own."""

import sys
from dataclasses import dataclass
from typing import Final, TextIO

#: Back to the first column, and everything behind it erased.
_CLEARED: Final = "\r\x1b[K"


@dataclass(frozen=True)
class StatusLine:
    """Shows nothing where the stream is no terminal."""

    stream: TextIO = sys.stderr

    def show(self, text: str) -> None:
        """Replace what is shown."""
        if self.stream.isatty():
            self.stream.write(_CLEARED + text)
            self.stream.flush()

    def clear(self) -> None:
        """Remove the line."""
        self.show("")
