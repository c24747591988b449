from io import StringIO

from arcuate.commands.status_line import StatusLine


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_terminal_shows_the_newest_text_and_then_none() -> None:
    stream = Terminal()
    line = StatusLine(stream)

    line.show("first")
    line.show("second")
    line.clear()

    assert stream.getvalue() == "\r\x1b[Kfirst\r\x1b[Ksecond\r\x1b[K"


def test_pipe_shows_nothing() -> None:
    stream = StringIO()
    line = StatusLine(stream)

    line.show("first")
    line.clear()

    assert stream.getvalue() == ""
