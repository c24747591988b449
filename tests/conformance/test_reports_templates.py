"""PixelMed's validator: the only one that judges the template (TID 1500) of a structured report.

It exits 0 whatever it finds, so its words are read. It takes memory and time by the number of
groups (52 points: 8 GB): the tree is judged with its first points; all groups are built alike.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from pydicom import Dataset, dcmread

from reports.both_eyes_sr import BothEyesSr
from reports.equipment import Equipment
from reports.structured_report import StructuredReport
from tests.builders.both_eyes import build_both_eyes, sources_of
from tests.conformance.reports import run_validator, unexpected, write_report
from tests.conftest import miss

JAR: Final = Path("/usr/share/java/pixelmed.jar")
#: Java's own bounds on XPath are below what the validator needs; 2 GiB hold a few groups.
COMMAND: Final = (
    "java",
    "-Xmx2g",
    "-XX:+UseSerialGC",
    "-Djdk.xml.xpathExprOpLimit=0",
    "-Djdk.xml.xpathExprGrpLimit=0",
    "-Djdk.xml.xpathTotalOpLimit=0",
    "-cp",
    JAR,
    "com.pixelmed.validate.DicomSRValidator",
)
FOUND: Final = [
    "Found Comprehensive3DSR IOD",
    "Found Root Template TID_1500 (MeasurementReport)",
    "Root Template Validation Complete",
    "IOD validation complete",
]
#: Rows 9 and 10 of its template 300 are wildcards that match any number below a number; row 5 of
#: template 310, which it knows, says HAS PROPERTIES of these two.
UNCERTAINTY: Final = re.compile(
    r"Error: Template 300 Measurement/\[Row 1\] NUM \*/\[Row (9|10)\] NUM \*: .+/"
    r"NUM \(PTS,99ARCUATE,\"Point sensitivity\"\)/NUM \((371886008|371885007),SCT,\".+\"\): "
    r"Incorrect relationship - expected INFERRED FROM - found HAS PROPERTIES"
)
#: Content that its templates of 2022 do not have, or that TID 1501 leaves open.
EXTENSIONS: Final = re.compile(
    r"Warning: [\d.]+: .+/(TEXT \(122405,DCM,\"Algorithm Manufacturer\"\)"
    r"|CODE \(VFPAT,99ARCUATE,\"Test pattern\"\)): Content Item not in template"
)
#: Further content of a group that has no field: the comment below its reason.
OF_REASONS: Final = re.compile(
    r"Warning: [\d.]+: .+/CODE \(EVF(RSN|EYE),99ARCUATE,\".+\"\)"
    r"(/TEXT \(121106,DCM,\"Comment\"\))?: Content Item not in template"
)

Need = Callable[[str], None]


@pytest.fixture
def judge(need: Need, tmp_path: Path) -> Callable[[Dataset], list[str]]:
    """Return what writes a report and returns each line the validator says of it."""
    need("java")
    if not JAR.exists():
        miss(f"PixelMed ({JAR})")

    def judged(report: Dataset) -> list[str]:
        path = tmp_path / "judged.dcm"
        report.save_as(path, enforce_file_format=True)
        _, lines = run_validator(*COMMAND, path, timeout_seconds=300)
        return [line for line in lines if line]

    return judged


def shortened(report: Dataset, points: int) -> Dataset:
    """Leave only the first points, after the group of the whole field."""
    (measurements,) = (item for item in report.ContentSequence if name_of(item) == "126010")
    del measurements.ContentSequence[1 + points :]
    return report


def name_of(item: Dataset) -> str:
    return str(item.ConceptNameCodeSequence[0].CodeValue)


def test_small_report_follows_its_template(
    judge: Callable[[Dataset], list[str]], shared_data: Path, tmp_path: Path
) -> None:
    path = write_report(StructuredReport(), "left eye", shared_data, tmp_path)

    lines = judge(shortened(dcmread(path), points=1))

    errors = [line for line in lines if UNCERTAINTY.fullmatch(line)]
    warnings = [line for line in lines if EXTENSIONS.fullmatch(line)]
    assert [line for line in lines if line not in {*errors, *warnings}] == FOUND
    assert (len(errors), len(warnings)) == (4, 2)


@pytest.mark.slow
@pytest.mark.parametrize("case", ["not assessable", "eye unknown"])
def test_report_without_a_field_follows_its_template(
    judge: Callable[[Dataset], list[str]], case: str, shared_data: Path, tmp_path: Path
) -> None:
    report = dcmread(write_report(StructuredReport(), case, shared_data, tmp_path))

    lines = judge(report)

    assert unexpected(lines, (EXTENSIONS, OF_REASONS)) == FOUND


@pytest.mark.slow
def test_report_of_both_eyes_follows_its_template(judge: Callable[[Dataset], list[str]]) -> None:
    both = build_both_eyes()

    lines = judge(BothEyesSr().build_both(both, sources_of(both), Equipment("1.2.3", "node-1")))

    assert unexpected(lines, (EXTENSIONS,)) == FOUND
