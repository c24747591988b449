import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from core.values.prediction import PredictionStatus
from reports.both_eyes_format import BothEyesFormat
from reports.both_eyes_register import BOTH_EYES_FORMATS
from reports.equipment import Equipment
from tests.builders.both_eyes import build_both_eyes, build_left, sources_of, withholding
from tests.builders.prediction import build_prediction
from tests.builders.report_context import build_kept_report
from tests.conformance.reports import run_validator, unexpected

REFUSED: Final = PredictionStatus.NOT_ASSESSABLE
CASES: Final[dict[str, dict[str, Any]]] = {
    "both estimated": {},
    "left rejected": {"withheld": {"left": True}},
    "both withheld": {"withheld": {"left": True, "right": True}},
    "left without": {"left": build_left(status=REFUSED)},
    "right without": {"right": build_prediction(prediction_id="right", status=REFUSED)},
}

#: What the validator says of private codes, and of an attribute newer than itself.
KNOWN_LINES: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"Comprehensive3DSR|EncapsulatedPDF|SCImage",
        r"Warning - </.+/CodingSchemeDesignator\(0008,0102\)\[1\]> - "
        r"Unrecognized defined term = <99ARCUATE>",
        r"Warning - </CodingSchemeIdentificationSequence\(0008,0110\)\[1\]/"
        r"CodingSchemeUID\(0008,010c\)\[1\]> - Unrecognized defined term = <2\.25\.\d+>",
        r"Warning - </ContributingEquipmentSequence\(0018,a001\)\[\d\]/DeviceUID\(0018,1002\)> - "
        r"Attribute is not present in standard DICOM IOD",
    )
)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("report_format", BOTH_EYES_FORMATS, ids=lambda f: f.kind)
def test_report_of_both_eyes_passes_dciodvfy(
    report_format: BothEyesFormat, case: str, need: Callable[[str], None], tmp_path: Path
) -> None:
    need("dciodvfy")
    changes = dict(CASES[case])
    withheld = changes.pop("withheld", {})
    both = withholding(build_both_eyes(**changes), **withheld)
    old = [build_kept_report("sr", sop_instance_uid="2.25.77"), build_kept_report("pdf")]
    report = report_format.build_both(
        both, sources_of(both), Equipment("1.2.3", "node-1"), [build_kept_report("sr")], old
    )
    report.save_as(tmp_path / "both.dcm", enforce_file_format=True)

    code, lines = run_validator("dciodvfy", "-new", tmp_path / "both.dcm")

    assert (code, unexpected(lines, KNOWN_LINES)) == (0, [])


def test_report_of_both_eyes_is_printed_by_dsrdump(
    need: Callable[[str], None], tmp_path: Path
) -> None:
    need("dsrdump")
    both = build_both_eyes()
    report = BOTH_EYES_FORMATS[0].build_both(both, sources_of(both), Equipment("1", "1"))
    report.save_as(tmp_path / "both.dcm", enforce_file_format=True)

    code, lines = run_validator("dsrdump", tmp_path / "both.dcm")

    sides = [line.strip() for line in lines if '"Laterality")=' in line]
    assert code == 0
    assert [side.split('"')[-2] for side in sides] == ["Right", "Left"]
