import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from reports.secondary_capture import SecondaryCapture
from tests.conformance.reports import CASES, run_validator, unexpected, write_report

#: The name of what the validator looked at; no error and no warning is expected.
KNOWN_LINES: Final = (re.compile("SCImage"),)

#: True of an eye that is unknown, and said of no other report.
UNKNOWN_EYE: Final = re.compile(
    r"Warning - </Laterality\(0020,0060\)> - is only permitted to be empty when actually unknown"
    r"; should be absent .+"
)


@pytest.mark.parametrize("case", CASES)
def test_secondary_capture_passes_dciodvfy(
    case: str, shared_data: Path, need: Callable[[str], None], tmp_path: Path
) -> None:
    need("dciodvfy")
    path = write_report(SecondaryCapture(), case, shared_data, tmp_path)

    code, lines = run_validator("dciodvfy", "-new", path)

    known = (*KNOWN_LINES, UNKNOWN_EYE) if case == "eye unknown" else KNOWN_LINES
    assert (code, unexpected(lines, known)) == (0, [])
