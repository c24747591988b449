import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from pydicom import dcmread

from core.values.prediction import PredictionStatus
from core.values.report_context import ReportContext
from reports.comprehensive_sr import as_comprehensive_sr
from reports.register import REPORT_FORMATS
from reports.report import ReportFormat
from reports.structured_report import StructuredReport
from tests.builders.report_context import build_kept_report
from tests.conformance.reports import CASES, run_validator, unexpected, write_report

UNASSESSED: Final = (PredictionStatus.NOT_ASSESSABLE, PredictionStatus.FAILED)

#: What the validator says of a right report: private codes, and an attribute newer than itself.
KNOWN_FALSE_POSITIVES: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"Comprehensive3DSR",
        r"Warning - </.+/CodingSchemeDesignator\(0008,0102\)\[1\]> - "
        r"Unrecognized defined term = <99ARCUATE>",
        r"Warning - </CodingSchemeIdentificationSequence\(0008,0110\)\[1\]/"
        r"CodingSchemeUID\(0008,010c\)\[1\]> - Unrecognized defined term = <2\.25\.\d+>",
        r"Warning - </ContributingEquipmentSequence\(0018,a001\)\[2\]/DeviceUID\(0018,1002\)> - "
        r"Attribute is not present in standard DICOM IOD",
    )
)


WITHOUT_FIELD: Final = {
    name for name, changes in CASES.items() if changes.get("status") in UNASSESSED
}


@pytest.mark.parametrize("case", CASES)
def test_structured_report_passes_dciodvfy(
    case: str, shared_data: Path, need: Callable[[str], None], tmp_path: Path
) -> None:
    need("dciodvfy")
    path = write_report(StructuredReport(), case, shared_data, tmp_path)

    code, lines = run_validator("dciodvfy", "-new", path)

    assert (code, unexpected(lines, KNOWN_FALSE_POSITIVES)) == (0, [])


@pytest.mark.parametrize("case", CASES)
def test_structured_report_is_printed_by_dsrdump(
    case: str, shared_data: Path, need: Callable[[str], None], tmp_path: Path
) -> None:
    need("dsrdump")
    path = write_report(StructuredReport(), case, shared_data, tmp_path)

    code, lines = run_validator("dsrdump", path)

    warnings = [line for line in lines if line.startswith(("W:", "E:", "F:"))]
    groups = [line for line in lines if line.count('"Measurement Group")=CONTINUOUS')]
    assert code == 0
    assert warnings == [
        "W: The VR checker does not support this Specific Character Set: ISO_IR 192"
    ]
    assert len(groups) == (1 if case in WITHOUT_FIELD else 53)


def test_comprehensive_sr_for_peers_without_3d_passes_dciodvfy(
    shared_data: Path, need: Callable[[str], None], tmp_path: Path
) -> None:
    need("dciodvfy")
    path = write_report(StructuredReport(), "left eye", shared_data, tmp_path)
    as_comprehensive_sr(dcmread(path)).save_as(path, enforce_file_format=True)

    code, lines = run_validator("dciodvfy", "-new", path)

    known = (*KNOWN_FALSE_POSITIVES, re.compile("ComprehensiveSR"))
    assert (code, unexpected(lines, known)) == (0, [])


@pytest.mark.parametrize("report_format", [f for f in REPORT_FORMATS if f.kind != "sc"])
def test_document_that_replaces_another_passes_dciodvfy(
    report_format: ReportFormat,
    shared_data: Path,
    need: Callable[[str], None],
    tmp_path: Path,
) -> None:
    need("dciodvfy")
    context = ReportContext(predecessors=(build_kept_report(report_format.kind),))
    case = "not assessable"
    path = write_report(report_format, case, shared_data, tmp_path, context)

    code, lines = run_validator("dciodvfy", "-new", path)

    known = (*KNOWN_FALSE_POSITIVES, re.compile("EnhancedSR|EncapsulatedPDF"))
    assert "PredecessorDocumentsSequence" in dcmread(path)
    assert (code, unexpected(lines, known)) == (0, [])
