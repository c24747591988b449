"""Reviewed reports before the same validators as those they follow."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from pydicom import dcmread

from core.values.review import Amendment, ReviewDecision
from reports.reviewed_report import reviewed_report
from reports.structured_report import StructuredReport
from tests.builders.review import build_review
from tests.conformance.reports import run_validator, unexpected, write_report
from tests.conformance.test_reports_structured_report import KNOWN_FALSE_POSITIVES

_AMENDMENT: Final = Amendment(assessable=True, mean_deviation_db=-3.0)
REVIEWS: Final = {
    "accepted": build_review(comment="Größe 3 °"),
    "rejected": build_review(ReviewDecision.REJECT, comment="No"),
    "amended": build_review(ReviewDecision.AMEND, amendment=_AMENDMENT),
}


def write_reviewed(case: str, review: str, data: Path, folder: Path) -> Path:
    path = write_report(StructuredReport(), case, data, folder)
    first = dcmread(path)
    reviewed_report(first, first, REVIEWS[review], "Clinic").save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize("review", REVIEWS)
@pytest.mark.parametrize("case", ["left eye", "not assessable", "photograph"])
def test_reviewed_report_passes_dciodvfy(
    case: str, review: str, shared_data: Path, need: Callable[[str], None], tmp_path: Path
) -> None:
    need("dciodvfy")
    path = write_reviewed(case, review, shared_data, tmp_path)

    code, lines = run_validator("dciodvfy", "-new", path)

    assert (code, unexpected(lines, KNOWN_FALSE_POSITIVES)) == (0, [])


@pytest.mark.parametrize("review", REVIEWS)
def test_reviewed_report_is_printed_by_dsrdump(
    review: str, shared_data: Path, need: Callable[[str], None], tmp_path: Path
) -> None:
    need("dsrdump")
    path = write_reviewed("left eye", review, shared_data, tmp_path)

    code, lines = run_validator("dsrdump", path)

    warnings = [line for line in lines if line.startswith(("W:", "E:", "F:"))]
    assert code == 0
    assert warnings == [
        "W: The VR checker does not support this Specific Character Set: ISO_IR 192"
    ]
    assert any("Decision of the review" in line for line in lines)
