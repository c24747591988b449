import hashlib
import os
import subprocess
import sys
from datetime import date
from io import BytesIO

import pytest
from pydicom import Dataset, dcmread, dcmwrite

from core.values.identity import PatientIdentity
from core.values.laterality import Laterality
from core.values.prediction import Prediction, PredictionStatus
from core.values.report_context import NO_CONTEXT, ReportContext
from reports.clinical_page import draw_page_pdf
from reports.encapsulated_pdf import EncapsulatedPdf
from reports.equipment import Equipment
from tests.builders.prediction import build_prediction
from tests.builders.report_context import build_earlier, build_kept_report
from tests.builders.source import build_source
from tests.conftest import REPOSITORY

FINAL, NOT_ASSESSABLE = PredictionStatus.FINAL, PredictionStatus.NOT_ASSESSABLE


def encoded(
    prediction: Prediction, context: ReportContext = NO_CONTEXT, *sources: Dataset
) -> bytes:
    buffer = BytesIO()
    report = EncapsulatedPdf().build(
        prediction, sources or [build_source(prediction)], Equipment("1.2.3", "node-1"), context
    )
    dcmwrite(buffer, report, enforce_file_format=True)
    return buffer.getvalue()


def page_of(document: Dataset) -> bytes:
    return bytes(document.EncapsulatedDocument[: document.EncapsulatedDocumentLength])


def test_document_says_whose_it_is_and_that_nothing_was_measured() -> None:
    prediction = build_prediction(laterality=Laterality.LEFT)
    source = build_source(prediction, AcquisitionDateTime="20110115101500")

    document = dcmread(BytesIO(encoded(prediction, NO_CONTEXT, source)))

    assert document.DocumentTitle == "AI estimated VF 24-2 L - not measured"
    assert document.SeriesDescription == document.DocumentTitle
    assert document.ConceptNameCodeSequence[0].CodeValue == "EVF"
    assert (document.PatientID, document.PatientName) == ("P-0001", "Sample^Eye")
    assert document.StudyInstanceUID == prediction.source.study_instance_uid
    assert document.ImageLaterality == "L"
    assert document.AcquisitionDateTime == "20110115101500"
    assert (document.BurnedInAnnotation, document.VerificationFlag) == ("YES", "UNVERIFIED")
    assert (document.Modality, document.ConversionType) == ("DOC", "SYN")
    assert (document.Manufacturer, document.SoftwareVersions) == ("Arcuate", "1.2.3")
    (item,) = document.SourceInstanceSequence
    assert item.ReferencedSOPInstanceUID == prediction.source.sop_instance_uid
    assert item.PurposeOfReferenceCodeSequence[0].CodeValue == "121322"
    assert "PredecessorDocumentsSequence" not in document


@pytest.mark.parametrize("status", [FINAL, NOT_ASSESSABLE])
def test_document_holds_the_page_of_its_true_length(status: PredictionStatus) -> None:
    prediction = build_prediction(status=status)
    other = build_prediction(laterality=Laterality.LEFT)
    context = ReportContext(other, (build_earlier(prediction, 300, -3.0),))

    document = dcmread(BytesIO(encoded(prediction, context)))

    assert page_of(document) == draw_page_pdf(prediction, context)
    assert page_of(document).rstrip().endswith(b"%%EOF")
    assert len(document.EncapsulatedDocument) % 2 == 0
    assert document.MIMETypeOfEncapsulatedDocument == "application/pdf"


def test_document_of_an_unknown_eye_has_no_laterality() -> None:
    prediction = build_prediction(laterality=None, status=NOT_ASSESSABLE)

    document = dcmread(BytesIO(encoded(prediction)))

    assert "ImageLaterality" not in document
    assert document.DocumentTitle == "AI estimated VF 24-2 eye unknown - no estimate, not measured"


def test_document_shows_the_patient_its_scan_names() -> None:
    """Two people under one Patient ID: the record knows the first, the scan is of the second."""
    recorded = build_prediction()
    source = build_source(
        recorded, PatientName="Other^Person", PatientBirthDate="19440506", PatientSex="M"
    )

    document = dcmread(BytesIO(encoded(recorded, NO_CONTEXT, source)))

    second = PatientIdentity("P-0001", "Clinic", "Other^Person", date(1944, 5, 6), "M")
    assert page_of(document) == draw_page_pdf(build_prediction(patient=second), NO_CONTEXT)


def test_document_names_the_one_it_replaces() -> None:
    kept = build_kept_report("pdf")
    context = ReportContext(predecessors=(build_kept_report("sr"), kept))

    document = dcmread(BytesIO(encoded(build_prediction(), context)))

    (study,) = document.PredecessorDocumentsSequence
    (series,) = study.ReferencedSeriesSequence
    (instance,) = series.ReferencedSOPSequence
    assert study.StudyInstanceUID == kept.study_instance_uid
    assert series.SeriesInstanceUID == kept.series_instance_uid
    assert (instance.ReferencedSOPClassUID, instance.ReferencedSOPInstanceUID) == (
        kept.sop_class_uid,
        kept.sop_instance_uid,
    )


_PRINT_DIGEST = """
from hashlib import sha256
from core.values.identity import PatientIdentity
from core.values.report_context import NO_CONTEXT
from reports.clinical_page import draw_page_pdf
from tests.builders.prediction import build_prediction
patient = PatientIdentity("P", None, "Yamada^Tarou=山田^太郎")
print(sha256(draw_page_pdf(build_prediction(patient=patient), NO_CONTEXT)).hexdigest())
"""


def test_page_drawn_by_another_process_has_the_same_bytes() -> None:
    patient = PatientIdentity("P", None, "Yamada^Tarou=山田^太郎")
    page = draw_page_pdf(build_prediction(patient=patient), NO_CONTEXT)

    # Another seed, another zone: neither may reach the bytes.
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    other = subprocess.run(
        [sys.executable, "-c", _PRINT_DIGEST],
        env={**environment, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert other.stdout.strip() == hashlib.sha256(page).hexdigest()
