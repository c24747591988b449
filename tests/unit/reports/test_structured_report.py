from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from highdicom.sr import srread
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.sr.codedict import codes as standard

from core.values.identity import PatientIdentity
from core.values.laterality import Laterality
from core.values.prediction import (
    FUNDUS_NOTICE,
    ModelIdentity,
    Prediction,
    PredictionStatus,
)
from core.values.reason import Reason, ReasonCode
from core.values.report_context import ReportContext
from reports import codes
from reports.corrections import correct
from reports.equipment import Equipment
from reports.measurement_groups import MeasurementsAndQualitativeEvaluations
from reports.structured_report import StructuredReport, build_uncorrected
from tests.builders.prediction import (
    POINTS_DEGREE,
    Loss,
    build_fundus_prediction,
    build_prediction,
)
from tests.builders.report_context import build_kept_report
from tests.builders.source import build_photograph_source, build_source

EQUIPMENT = Equipment("1.2.3", "node-1")
WITHOUT_FIELD = (PredictionStatus.NOT_ASSESSABLE, PredictionStatus.FAILED)


def build(prediction: Prediction, *sources: Dataset) -> Dataset:
    return StructuredReport().build(prediction, sources or (build_source(prediction),), EQUIPMENT)


def groups_of(report: Dataset) -> list[MeasurementsAndQualitativeEvaluations]:
    buffer = BytesIO()
    dcmwrite(buffer, report, enforce_file_format=True)
    buffer.seek(0)
    return srread(buffer).content.get_image_measurement_groups()


@cache
def groups_of_eye(laterality: Laterality) -> list[MeasurementsAndQualitativeEvaluations]:
    """Return what highdicom reads back of one eye with a loss; once, for it takes seconds."""
    return groups_of(build(build_prediction(laterality=laterality, loss=Loss.ARCUATE)))


def value_of(group: MeasurementsAndQualitativeEvaluations, name: codes.CodedConcept) -> float:
    return group.get_measurements(name)[0].value


def content_items(parent: Dataset, code: str) -> list[Dataset]:
    found = []
    for item in parent.get("ContentSequence", ()):
        if item.ConceptNameCodeSequence[0].CodeValue == code:
            found.append(item)
        found.extend(content_items(item, code))
    return found


@pytest.mark.parametrize("laterality", list(Laterality))
def test_points_are_read_back_by_highdicom(laterality: Laterality) -> None:
    prediction = build_prediction(laterality=laterality, loss=Loss.ARCUATE)
    sign = 1 if laterality is Laterality.RIGHT else -1

    groups = groups_of_eye(laterality)

    assert len(groups) == 53
    points = groups[1:]
    positions = [(value_of(p, codes.POINT_X), value_of(p, codes.POINT_Y)) for p in points]
    assert positions == [(sign * x, y) for x, y in POINTS_DEGREE]
    estimate, deviations = prediction.estimate, prediction.deviations
    for name, expected in (
        (codes.POINT_SENSITIVITY, estimate.sensitivities_db),
        (codes.POINT_TOTAL_DEVIATION, deviations.total_deviation_db),
        (codes.POINT_PATTERN_DEVIATION, deviations.pattern_deviation_db),
    ):
        np.testing.assert_allclose([value_of(p, name) for p in points], expected, atol=0.00501)
    eye = {codes.LATERALITY[laterality]}
    assert {site.laterality for g in groups for site in g.finding_sites} == eye
    assert {g.finding_type for g in points} == {codes.ESTIMATED_POINT}


@pytest.mark.parametrize("laterality", list(Laterality))
def test_intervals_are_half_widths_in_decibel(laterality: Laterality) -> None:
    prediction = build_prediction(laterality=laterality, loss=Loss.ARCUATE)

    points = groups_of_eye(laterality)[1:]

    estimate = prediction.estimate
    for code, expected in (
        ("371886008", estimate.upper_db - estimate.sensitivities_db),
        ("371885007", estimate.sensitivities_db - estimate.lower_db),
    ):
        items = [
            item
            for point in points
            for item in point.get_measurements(codes.POINT_SENSITIVITY)[0][0].ContentSequence
            if item.name.value == code
        ]
        np.testing.assert_allclose([item.value for item in items], expected, atol=0.00501)
        assert {item.unit for item in items} == {codes.DECIBEL}


def test_left_eye_has_its_nasal_step_points_on_the_right() -> None:
    groups = groups_of_eye(Laterality.LEFT)

    positions = {(value_of(g, codes.POINT_X), value_of(g, codes.POINT_Y)) for g in groups[1:]}

    assert {(27.0, 3.0), (27.0, -3.0)} <= positions
    assert positions.isdisjoint({(-15.0, 3.0), (-15.0, -3.0), (-27.0, 3.0), (-27.0, -3.0)})


def test_global_group_has_the_indices_that_hold_for_estimates() -> None:
    prediction = build_prediction(loss=Loss.ARCUATE)

    group = groups_of_eye(Laterality.RIGHT)[0]

    measured = {m.name: (m.value, m.unit, m.derivation) for m in group.get_measurements()}
    assert measured == {
        codes.MEAN_DEVIATION: (
            round(prediction.deviations.mean_deviation_db, 2), codes.DECIBEL, codes.ESTIMATED
        ),
        codes.MEAN_SENSITIVITY: (
            round(prediction.deviations.mean_sensitivity_db, 2), codes.DECIBEL, codes.ESTIMATED
        ),
    }  # fmt: skip
    assert group.finding_type == codes.ESTIMATED_FIELD


def test_every_value_in_decibel_is_marked_estimated() -> None:
    groups = groups_of_eye(Laterality.LEFT)

    derivations = [
        m.derivation for g in groups for m in g.get_measurements() if m.unit == codes.DECIBEL
    ]

    assert derivations == [codes.ESTIMATED] * (2 + 3 * 52)


@pytest.mark.parametrize("laterality", [*Laterality, None])
@pytest.mark.parametrize("status", WITHOUT_FIELD)
def test_scan_without_an_estimate_is_reported_without_any_value(
    status: PredictionStatus, laterality: Laterality | None
) -> None:
    prediction = build_prediction(status=status, laterality=laterality)
    reason = prediction.reasons[0]

    report = build(prediction)
    (group,) = groups_of(report)

    assert group.get_measurements() == []
    sides = [site.laterality for site in group.finding_sites]
    assert sides == [codes.LATERALITY[laterality] if laterality else None]
    # The library counts the algorithm's family among the evaluations.
    evaluations = [
        (e.name, e.value)
        for e in group.get_qualitative_evaluations()
        if e.name.scheme_designator == codes.SCHEME
    ]
    unknown = [] if laterality else [(codes.EYE, codes.EYE_UNKNOWN)]
    assert evaluations == [(codes.REASON, codes.REASON_CODES[reason.code]), *unknown]
    assert [item.TextValue for item in content_items(report, "121106")] == [reason.message]
    numbers = {item.ConceptNameCodeSequence[0].CodeMeaning for item in all_numbers(report)}
    assert numbers == {"Pixel Data Rows", "Pixel Data Columns"}


def all_numbers(parent: Dataset) -> list[Dataset]:
    below = [n for item in parent.get("ContentSequence", ()) for n in all_numbers(item)]
    return [parent, *below] if parent.get("ValueType") == "NUM" else below


def test_failed_and_not_assessable_are_different_findings() -> None:
    findings = [
        groups_of(build(build_prediction(status=status)))[0].finding_type.value
        for status in WITHOUT_FIELD
    ]

    assert findings == ["EVFNA", "EVFFL"]


def test_estimate_beside_reasons_is_never_reported() -> None:
    reason = Reason(ReasonCode.AGE_MISSING, "The scan has no age.")
    full = build_prediction()
    prediction = build_prediction(
        status=PredictionStatus.NOT_ASSESSABLE,
        reasons=(reason,),
        estimate=full.estimate,
        deviations=full.deviations,
    )

    (group,) = groups_of(build(prediction))

    assert group.get_measurements() == []


@pytest.mark.parametrize(
    ("laterality", "status", "expected"),
    [
        (Laterality.RIGHT, PredictionStatus.FINAL, "AI estimated VF 24-2 R - not measured"),
        (Laterality.LEFT, PredictionStatus.FINAL, "AI estimated VF 24-2 L - not measured"),
        (
            Laterality.LEFT,
            PredictionStatus.NOT_ASSESSABLE,
            "AI estimated VF 24-2 L - no estimate, not measured",
        ),
        (
            None,
            PredictionStatus.FAILED,
            "AI estimated VF 24-2 eye unknown - no estimate, not measured",
        ),
    ],
)
def test_series_description_says_eye_and_nature(
    laterality: Laterality | None, status: PredictionStatus, expected: str
) -> None:
    report = build(build_prediction(laterality=laterality, status=status))

    assert report.SeriesDescription == expected
    assert len(expected) <= 64


def test_header_says_preliminary_and_unverified_and_ours() -> None:
    report = build(build_prediction())

    assert (report.CompletionFlag, report.PreliminaryFlag, report.VerificationFlag) == (
        "COMPLETE",
        "PRELIMINARY",
        "UNVERIFIED",
    )
    assert (report.Manufacturer, report.SoftwareVersions, report.DeviceSerialNumber) == (
        "Arcuate",
        "1.2.3",
        "node-1",
    )
    assert report.SpecificCharacterSet == "ISO_IR 192"
    template = report.ContentTemplateSequence[0]
    assert (template.MappingResource, template.TemplateIdentifier) == ("DCMR", "1500")
    assert report.CodingSchemeIdentificationSequence[0].CodingSchemeDesignator == "99ARCUATE"


def test_evidence_names_every_source() -> None:
    prediction = build_prediction()
    localizer = build_source(prediction, SOPInstanceUID="2.25.7", SeriesInstanceUID="2.25.8")

    report = build(prediction, localizer, build_source(prediction))

    (study,) = report.CurrentRequestedProcedureEvidenceSequence
    instances = {
        instance.ReferencedSOPInstanceUID
        for series in study.ReferencedSeriesSequence
        for instance in series.ReferencedSOPSequence
    }
    assert study.StudyInstanceUID == prediction.source.study_instance_uid
    assert instances == {"2.25.7", prediction.source.sop_instance_uid}


def test_source_of_measurement_is_the_scored_instance() -> None:
    prediction = build_prediction()
    localizer = build_source(prediction, SOPInstanceUID="2.25.7", SeriesInstanceUID="2.25.8")

    report = build(prediction, localizer, build_source(prediction))

    references = [
        item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        for item in content_items(report, "121112")
    ]
    assert references == [prediction.source.sop_instance_uid]


def test_device_uid_is_new_for_new_weights() -> None:
    def device_uid(digest: str) -> str:
        report = build(build_prediction(model=ModelIdentity("retinervenet", "1.0.0", digest)))
        ours = [i for i in report.ContributingEquipmentSequence if "DeviceUID" in i]
        observer = content_items(report, "121012")[0]
        assert [i.DeviceUID for i in ours] == [observer.UID]
        return str(observer.UID)

    assert device_uid("sha256:aa") == device_uid("sha256:aa")
    assert device_uid("sha256:aa") != device_uid("sha256:bb")


def test_places_are_tracked_over_visits_of_one_eye() -> None:
    def uids(**changes: object) -> set[str]:
        report = build(build_prediction(**changes))
        return {str(item.UID) for item in content_items(report, "112040")}

    first = uids(prediction_id="a")

    assert len(first) == 53
    assert uids(prediction_id="b") == first
    assert uids(laterality=Laterality.LEFT).isdisjoint(first)
    assert uids(patient=PatientIdentity("P-0002", "Clinic")).isdisjoint(first)
    assert uids(patient=PatientIdentity("P-0001", "Other clinic")).isdisjoint(first)


@pytest.mark.parametrize("status", [PredictionStatus.FINAL, *WITHOUT_FIELD])
def test_report_built_again_has_the_same_bytes(status: PredictionStatus) -> None:
    def encoded() -> bytes:
        buffer = BytesIO()
        dcmwrite(buffer, build(build_prediction(status=status)), enforce_file_format=True)
        return buffer.getvalue()

    assert encoded() == encoded()


def test_superseded_report_keeps_its_bytes() -> None:
    def encoded(status: PredictionStatus) -> bytes:
        buffer = BytesIO()
        prediction = build_prediction()
        report = build(build_prediction(status=status), build_source(prediction))
        dcmwrite(buffer, report, enforce_file_format=True)
        return buffer.getvalue()

    assert encoded(PredictionStatus.SUPERSEDED) == encoded(PredictionStatus.FINAL)


def test_another_prediction_is_another_object_in_another_series() -> None:
    first, second = (build(build_prediction(prediction_id=name)) for name in "ab")

    assert first.SOPInstanceUID != second.SOPInstanceUID
    assert first.SeriesInstanceUID != second.SeriesInstanceUID
    assert first.file_meta.MediaStorageSOPInstanceUID == first.SOPInstanceUID


def test_content_time_is_the_prediction_s_in_the_zone_of_the_study() -> None:
    prediction = build_prediction()

    report = build(prediction, build_source(prediction, TimezoneOffsetFromUTC="-1030"))

    # Predicted at 09:30:01.25 UTC on 4 March.
    assert (str(report.ContentDate), str(report.ContentTime)) == ("20260303", "230001.250000")
    assert report.TimezoneOffsetFromUTC == "-1030"


@pytest.mark.parametrize(
    ("character_set", "name"),
    [
        ("ISO_IR 100", "Müller^Jürgen"),
        ("GB18030", "王^小东"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎"),
        ("ISO_IR 192", "Łuczak^Οδυσσέας"),
    ],
)
def test_name_in_any_character_set_arrives_in_unicode(
    character_set: str | list[str], name: str, tmp_path: Path
) -> None:
    prediction = build_prediction()
    source = tmp_path / "source.dcm"
    header = build_source(
        prediction, SpecificCharacterSet=character_set, PatientName=name, StudyDescription=name[:1]
    )
    dcmwrite(source, header, implicit_vr=False, little_endian=True, enforce_file_format=False)
    path = tmp_path / "report.dcm"

    report = build(prediction, dcmread(source, force=True))
    report.save_as(path, enforce_file_format=True)

    reread = dcmread(path)
    assert (str(reread.PatientName), reread.StudyDescription) == (name, name[:1])
    assert name.encode() in path.read_bytes()


def test_method_is_still_written_wrongly_by_highdicom() -> None:
    """When this fails, drop that correction: highdicom is right by itself."""
    prediction = build_prediction()
    report = build_uncorrected(prediction, [build_source(prediction)], EQUIPMENT)

    before = [item.RelationshipType for item in content_items(report, "370129005")]
    correct(report)
    after = [item.RelationshipType for item in content_items(report, "370129005")]

    assert (before, after) == (["CONTAINS"], ["HAS CONCEPT MOD"])


def test_unit_of_uncertainty_is_still_written_wrongly_by_highdicom() -> None:
    """When this fails, drop that correction: highdicom is right by itself."""
    prediction = build_prediction()
    report = build_uncorrected(prediction, [build_source(prediction)], EQUIPMENT)

    def units() -> set[str]:
        items = content_items(report, "371886008") + content_items(report, "371885007")
        return {i.MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0].CodeValue for i in items}

    before = units()
    correct(report)

    assert (before, units()) == ({"1"}, {"dB"})


def test_algorithm_parameters_say_what_the_numbers_mean() -> None:
    report = build(build_prediction(age_years=30.0))

    parameters = [item.TextValue for item in content_items(report, "111002")]

    assert len(parameters) == 5
    assert parameters[0].startswith("Estimated from structure, not measured.")
    assert parameters[1] == build_prediction().model.digest.join(["Weights: ", ""])
    assert parameters[4].count("extrapolated") == 1


def test_algorithm_is_artificial_intelligence() -> None:
    report = build(build_prediction())

    (family,) = content_items(report, "111000")

    assert family.ConceptCodeSequence[0].CodeValue == standard.DCM.ArtificialIntelligence.value


def test_report_of_a_photograph_says_what_it_was_made_from() -> None:
    prediction = build_fundus_prediction()

    report = build(prediction, build_photograph_source(prediction))
    groups = groups_of(report)

    assert len(groups) == 53
    assert groups[0].finding_type == codes.FUNDUS_FIELD
    assert {group.finding_type for group in groups[1:]} == {codes.FUNDUS_POINT}
    (method,) = content_items(report, "370129005")
    assert method.ConceptCodeSequence[0].CodeValue == codes.ESTIMATION_FROM_PHOTOGRAPH.value
    parameters = [item.TextValue for item in content_items(report, "111002")]
    assert any(text.startswith(FUNDUS_NOTICE) for text in parameters)
    assert report.SeriesDescriptionCodeSequence[0].CodeValue == codes.FUNDUS_FIELD.value
    assert "OCT" not in report.ContributingEquipmentSequence[-1].ContributionDescription


def test_report_names_the_reports_it_replaces_and_no_other_form() -> None:
    first = build_kept_report("sr", sop_instance_uid="2.25.801")
    second = build_kept_report("sr", sop_instance_uid="2.25.802", series_instance_uid="2.25.8")
    prediction = build_prediction(status=PredictionStatus.NOT_ASSESSABLE)

    report = StructuredReport().build(
        prediction,
        [build_source(prediction)],
        EQUIPMENT,
        ReportContext(predecessors=(first, build_kept_report("pdf"), second)),
    )

    (study,) = report.PredecessorDocumentsSequence
    named = {
        series.SeriesInstanceUID: [
            (item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID)
            for item in series.ReferencedSOPSequence
        ]
        for series in study.ReferencedSeriesSequence
    }
    assert study.StudyInstanceUID == "2.25.101"
    assert named == {
        kept.series_instance_uid: [(kept.sop_class_uid, kept.sop_instance_uid)]
        for kept in (first, second)
    }


def test_report_that_replaces_nothing_names_no_predecessor() -> None:
    prediction = build_prediction(status=PredictionStatus.NOT_ASSESSABLE)

    assert "PredecessorDocumentsSequence" not in build(prediction)
