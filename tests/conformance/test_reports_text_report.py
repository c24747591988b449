import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from reports.text_report import TextReport
from tests.conformance.reports import CASES, run_validator, unexpected, write_report

#: What the validator says of private codes, and of an attribute newer than itself.
KNOWN_LINES: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"EnhancedSR",
        r"Warning - </.+/CodingSchemeDesignator\(0008,0102\)\[1\]> - "
        r"Unrecognized defined term = <99ARCUATE>",
        r"Warning - </CodingSchemeIdentificationSequence\(0008,0110\)\[1\]/"
        r"CodingSchemeUID\(0008,010c\)\[1\]> - Unrecognized defined term = <2\.25\.\d+>",
        r"Warning - </ContributingEquipmentSequence\(0018,a001\)\[2\]/DeviceUID\(0018,1002\)> - "
        r"Attribute is not present in standard DICOM IOD",
    )
)


@pytest.mark.parametrize("case", CASES)
def test_text_report_passes_dciodvfy(
    case: str, shared_data: Path, need: Callable[[str], None], tmp_path: Path
) -> None:
    need("dciodvfy")
    path = write_report(TextReport(), case, shared_data, tmp_path)

    code, lines = run_validator("dciodvfy", "-new", path)

    assert (code, unexpected(lines, KNOWN_LINES)) == (0, [])


def test_text_report_is_printed_by_dsrdump(
    shared_data: Path, need: Callable[[str], None], tmp_path: Path
) -> None:
    need("dsrdump")
    path = write_report(TextReport(), "left eye", shared_data, tmp_path)

    # +Pl prints long values in full.
    code, lines = run_validator("dsrdump", "+Pl", path)

    assert code == 0
    assert any('"MD -6.9 dB, estimated"' in line for line in lines)
