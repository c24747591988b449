import io

import pytest
from rich.console import Console

from arcuate.commands.progress import progress


def test_pipe_reads_nothing_of_the_progress(capfd: pytest.CaptureFixture[str]) -> None:
    with progress("Scoring", 10) as note:
        note(4)

    assert capfd.readouterr() == ("", "")


def test_terminal_shows_how_far_it_is() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80)

    with progress("Scoring", 10, console) as note:
        note(4)
        note(6)

    assert "10/10" in console.file.getvalue()
    assert "/s" in console.file.getvalue()
