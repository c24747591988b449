from dataclasses import replace
from datetime import date
from io import BytesIO

import numpy as np
import pytest
from pydicom import dcmread, dcmwrite

from core.values.identity import PatientIdentity
from core.values.laterality import Laterality
from core.values.prediction import ESTIMATE_NOTICE, Prediction, PredictionStatus
from reports.equipment import Equipment
from reports.field_plot import draw_field_rgb
from reports.secondary_capture import SecondaryCapture
from tests.builders.prediction import build_prediction
from tests.builders.source import build_source


def encoded(prediction: Prediction) -> bytes:
    buffer = BytesIO()
    report = SecondaryCapture().build(
        prediction, [build_source(prediction)], Equipment("1.2.3", "node-1")
    )
    dcmwrite(buffer, report, enforce_file_format=True)
    return buffer.getvalue()


def test_secondary_capture_says_where_it_comes_from() -> None:
    prediction = build_prediction(laterality=Laterality.LEFT)

    image = dcmread(BytesIO(encoded(prediction)))

    assert list(image.ImageType) == ["DERIVED", "SECONDARY"]
    assert (image.Modality, image.Laterality, image.BurnedInAnnotation) == ("OT", "L", "YES")
    assert image.SeriesDescription == "AI estimated VF 24-2 L - not measured"
    assert image.StudyInstanceUID == prediction.source.study_instance_uid
    (source,) = image.SourceImageSequence
    assert source.ReferencedSOPInstanceUID == prediction.source.sop_instance_uid
    assert source.PurposeOfReferenceCodeSequence[0].CodeValue == "121322"
    assert image.DerivationDescription == (
        "Drawn from the result of retinervenet 1.0.0 (weights "
        f"{prediction.model.digest}), which estimates the 24-2 visual field from OCT; "
        f"not a measured visual field. {ESTIMATE_NOTICE}"
    )
    assert (
        image.SecondaryCaptureDeviceManufacturer,
        image.SecondaryCaptureDeviceManufacturerModelName,
        image.SecondaryCaptureDeviceSoftwareVersions,
    ) == ("Arcuate", "Arcuate", "1.2.3")


@pytest.mark.parametrize("status", [PredictionStatus.FINAL, PredictionStatus.NOT_ASSESSABLE])
def test_secondary_capture_holds_the_picture(status: PredictionStatus) -> None:
    prediction = build_prediction(status=status)

    image = dcmread(BytesIO(encoded(prediction)))

    assert image.PhotometricInterpretation == "RGB"
    np.testing.assert_array_equal(image.pixel_array, draw_field_rgb(prediction))


def test_secondary_capture_of_an_unknown_eye_has_an_empty_laterality() -> None:
    prediction = build_prediction(laterality=None, status=PredictionStatus.NOT_ASSESSABLE)

    image = dcmread(BytesIO(encoded(prediction)))

    assert "Laterality" in image
    assert image.Laterality == ""


@pytest.mark.parametrize("status", [PredictionStatus.FINAL, PredictionStatus.NOT_ASSESSABLE])
def test_secondary_capture_built_again_has_the_same_bytes(status: PredictionStatus) -> None:
    assert encoded(build_prediction(status=status)) == encoded(build_prediction(status=status))


def test_secondary_capture_shows_the_patient_its_scan_names() -> None:
    """Two people under one Patient ID: the record knows the first, the scan is of the second."""
    recorded = build_prediction()
    second = PatientIdentity(
        recorded.patient.patient_id, recorded.patient.issuer, "Other^Person", date(1944, 5, 6), "M"
    )
    source = build_source(
        recorded, PatientName="Other^Person", PatientBirthDate="19440506", PatientSex="M"
    )

    image = SecondaryCapture().build(recorded, [source], Equipment("1.2.3", "node-1"))

    drawn = draw_field_rgb(replace(recorded, patient=second))
    assert image.PatientName == "Other^Person"
    assert np.array_equal(image.pixel_array, drawn)
