import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from pydicom import dcmread

from core.values.identity import PatientIdentity
from core.values.laterality import Laterality
from core.values.report_context import NO_CONTEXT, ReportContext
from reports.clinical_page import draw_page_pdf
from reports.encapsulated_pdf import EncapsulatedPdf
from tests.builders.prediction import build_prediction
from tests.builders.report_context import build_earlier
from tests.conformance.reports import CASES, run_validator, unexpected, write_report

#: The name of what the validator looked at, and our private code.
KNOWN_LINES: Final = (
    re.compile("EncapsulatedPDF"),
    re.compile(
        r"Warning - </ConceptNameCodeSequence\(0040,a043\)\[1\]/"
        r"CodingSchemeDesignator\(0008,0102\)\[1\]> - Unrecognized defined term = <99ARCUATE>"
    ),
)

#: A name in six scripts; those of the far east need a font of the system.
MANY_SCRIPTS: Final = "Müller Ελένη Жук ياسمين=山田 太郎 홍길동"


@pytest.mark.parametrize("case", CASES)
def test_document_passes_dciodvfy(
    case: str, shared_data: Path, need: Callable[[str], None], tmp_path: Path
) -> None:
    need("dciodvfy")
    path = write_report(EncapsulatedPdf(), case, shared_data, tmp_path)

    code, lines = run_validator("dciodvfy", "-new", path)

    assert (code, unexpected(lines, KNOWN_LINES)) == (0, [])


@pytest.mark.parametrize("case", ["left eye", "not assessable", "photograph"])
def test_document_is_one_page_of_a4_with_every_font_in_it(
    case: str, shared_data: Path, need: Callable[[str], None], tmp_path: Path
) -> None:
    need("pdffonts")
    need("pdfinfo")
    document = dcmread(write_report(EncapsulatedPdf(), case, shared_data, tmp_path))
    page = tmp_path / "page.pdf"
    page.write_bytes(document.EncapsulatedDocument[: document.EncapsulatedDocumentLength])

    _, fonts = run_validator("pdffonts", page)
    _, facts = run_validator("pdfinfo", page)

    embedded = [line.split()[-5] for line in fonts[2:]]
    assert embedded == ["yes"] * len(fonts[2:])
    assert len(embedded) > 0
    assert "Pages:           1" in facts
    assert any(line.startswith("Page size:") and line.endswith("(A4)") for line in facts)
    assert not any("Warning" in line or "Error" in line for line in [*fonts, *facts])


def test_page_can_be_read_and_searched(need: Callable[[str], None], tmp_path: Path) -> None:
    need("pdftotext")
    patient = PatientIdentity("P-0001", None, MANY_SCRIPTS)
    prediction = build_prediction(laterality=Laterality.LEFT, patient=patient)
    earlier = (build_earlier(prediction, 300, -3.0),)
    page = tmp_path / "page.pdf"
    page.write_bytes(draw_page_pdf(prediction, ReportContext(earlier=earlier)))

    _, lines = run_validator("pdftotext", "-layout", page, "-")

    text = " ".join(" ".join(lines).split())
    for words in (
        "ESTIMATED from OCT, not measured",
        "LEFT EYE (OS)",
        "ID P-0001",
        "Müller Ελένη Жук",
        "Not clinically validated; not for clinical use.",
        "Estimated mean deviation by date of scan",
    ):
        assert words in text
    assert page.read_bytes() != draw_page_pdf(prediction, NO_CONTEXT)
