from io import BytesIO

import pytest
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.uid import RawDataStorage

from core.values.identity import PatientIdentity
from reports.equipment import Equipment
from reports.errors import ReportError, SourceConflict, SourceMissing, SourceUnsupported
from reports.source import read_sources
from reports.structured_report import StructuredReport
from tests.builders.prediction import build_prediction
from tests.builders.source import build_source

PREDICTION = build_prediction()
OPTIONAL = (
    "PatientBirthDate",
    "PatientSex",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "Manufacturer",
    "ReferringPhysicianName",
    "IssuerOfPatientID",
    "Rows",
    "Columns",
    "Modality",
    "SpecificCharacterSet",
)


def build(source: Dataset) -> Dataset:
    return StructuredReport().build(PREDICTION, [source], Equipment("1.2.3", "node-1"))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"SOPInstanceUID": "2.25.1"}, SourceMissing),
        ({"PatientID": "P-0002"}, SourceConflict),
        ({"PatientID": ""}, SourceConflict),
        ({"StudyInstanceUID": "2.25.1"}, SourceConflict),
        ({"ImageLaterality": "L"}, SourceConflict),
        ({"Laterality": "L"}, SourceConflict),
        ({"SOPClassUID": "1.2.3.4"}, SourceUnsupported),
        ({"SOPClassUID": "1.2.840.10008.1.1"}, SourceUnsupported),
        ({"SOPClassUID": None}, SourceUnsupported),
    ],
)
def test_source_that_does_not_fit_is_refused(
    change: dict[str, str | None], error: type[ReportError]
) -> None:
    with pytest.raises(error) as caught:
        build(build_source(PREDICTION, **change))

    assert str(caught.value).count(PREDICTION.patient.patient_id) == 0


def test_no_source_at_all_is_refused() -> None:
    with pytest.raises(SourceMissing):
        read_sources(PREDICTION, [])


def test_second_source_of_another_patient_is_refused() -> None:
    other = build_source(PREDICTION, SOPInstanceUID="2.25.9", PatientID="P-0002")

    with pytest.raises(SourceConflict):
        read_sources(PREDICTION, [build_source(PREDICTION), other])


def test_localizer_of_the_other_eye_is_refused() -> None:
    localizer = build_source(PREDICTION, SOPInstanceUID="2.25.9", ImageLaterality="L")

    with pytest.raises(SourceConflict):
        read_sources(PREDICTION, [build_source(PREDICTION), localizer])


def test_source_without_optional_attributes_gives_empty_type_2() -> None:
    report = build(build_source(PREDICTION, **dict.fromkeys(OPTIONAL)))

    empty = ("PatientBirthDate", "PatientSex", "StudyID", "AccessionNumber")
    assert [str(report[keyword].value or "") for keyword in empty] == [""] * 4
    assert [keyword for keyword in OPTIONAL[:6] if keyword not in report] == []


@pytest.mark.parametrize(
    ("keyword", "value", "expected"),
    [
        ("PatientBirthDate", "19581345", ""),
        ("StudyTime", "10:15:00", ""),
        ("StudyDate", "2011.01.15", ""),
        ("PatientSex", "X", ""),
        ("AccessionNumber", "ACCESSION-LONGER-THAN-16", "ACCESSION-LONGER-THAN-16"),
        ("PatientName", "Yamada^A\u3000B\x00\ue000", "Yamada^A\u3000B\ue000"),
        ("StudyID", "STUDY-ID-LONGER-THAN-16", "STUDY-ID-LONGER-THAN-16"),
    ],
)
def test_bad_values_become_empty_and_identifiers_stay(
    keyword: str, value: str, expected: str
) -> None:
    source = build_source(PREDICTION)
    source[keyword]._value = value

    report = build(source)

    assert str(report[keyword].value or "") == expected


def test_object_that_is_no_image_stands_in_the_evidence_only() -> None:
    report = build(build_source(PREDICTION, SOPClassUID=RawDataStorage))

    (study,) = report.CurrentRequestedProcedureEvidenceSequence
    (series,) = study.ReferencedSeriesSequence
    assert series.ReferencedSOPSequence[0].ReferencedSOPClassUID == RawDataStorage


def test_order_of_the_scan_is_referred_to() -> None:
    request = Dataset()
    request.RequestedProcedureID = "RP1"
    request.ScheduledProcedureStepID = "SPS1"

    report = build(build_source(PREDICTION, RequestAttributesSequence=[request]))

    (item,) = report.ReferencedRequestSequence
    assert item.RequestedProcedureID == "RP1"
    assert item.AccessionNumber == PREDICTION.source.accession_number
    assert item.StudyInstanceUID == PREDICTION.source.study_instance_uid


def test_patient_id_with_other_letters_in_another_character_set_still_fits() -> None:
    prediction = build_prediction(patient=PatientIdentity("P-ü-1", "Clinic"))
    source = build_source(prediction, PatientID="P-�-1")

    assert len(read_sources(prediction, [source])) == 1


def reread(source: Dataset) -> Dataset:
    buffer = BytesIO()
    dcmwrite(buffer, source, implicit_vr=False, little_endian=True, enforce_file_format=False)
    return dcmread(BytesIO(buffer.getvalue()), force=True)


@pytest.mark.parametrize(
    ("declared", "expected"),
    [("ISO_IR 192", "M�ller^A"), ("ISO_IR 6", "Müller^A"), ("ISO_IR 144", "Mќller^A")],
)
def test_wrong_character_set_costs_letters_and_never_the_report(
    declared: str, expected: str
) -> None:
    encoded = build_source(PREDICTION, SpecificCharacterSet="ISO_IR 100", PatientName="Müller^A")
    request = Dataset()
    request.RequestedProcedureDescription = "Müller"
    encoded.RequestAttributesSequence = [request]
    source = reread(encoded)
    raw = BytesIO()
    dcmwrite(raw, source, implicit_vr=False, little_endian=True, enforce_file_format=False)
    wrong = raw.getvalue().replace(b"ISO_IR 100", declared.ljust(10).encode())

    report = build(dcmread(BytesIO(wrong), force=True))

    assert report.SpecificCharacterSet == "ISO_IR 192"
    assert str(report.PatientName) == expected


def test_deeply_nested_order_is_cut() -> None:
    nested = Dataset()
    nested.RequestedProcedureID = "RP9"
    for _ in range(50):
        outer = Dataset()
        outer.RequestedProcedureCodeSequence = [nested]
        nested = outer

    report = build(build_source(PREDICTION, RequestAttributesSequence=[nested]))

    item = report.ReferencedRequestSequence[0]
    depth = 0
    while item.get("RequestedProcedureCodeSequence"):
        item, depth = item.RequestedProcedureCodeSequence[0], depth + 1
    assert depth == 2
