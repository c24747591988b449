from datetime import datetime
from io import BytesIO

import numpy as np
import pytest
from pydicom import Dataset, config, dcmread

from core.values.laterality import Laterality
from core.values.measured_field import FieldPattern, Reliability
from dicom_node.measured_fields.errors import FieldRefused
from dicom_node.measured_fields.opv import read_field
from tests.builders.opt import encoded
from tests.builders.opv import TESTED_AT, build_field_db, build_opv
from tests.builders.prediction import POINTS_DEGREE


def read(dataset: Dataset):
    """Read it as it comes from a file, valid or not."""
    with config.disable_value_validation():
        data = encoded(dataset)
    return read_field(dcmread(BytesIO(data)))


@pytest.mark.parametrize("laterality", Laterality)
def test_each_value_finds_its_place_in_right_eye_order(laterality: Laterality) -> None:
    field = build_field_db(depth_db=12)

    found = read(build_opv(laterality, sensitivities_db=field))

    assert found.laterality is laterality
    assert found.sensitivities_db is not None
    np.testing.assert_array_equal(found.sensitivities_db, field)


@pytest.mark.parametrize(("laterality", "sign"), [(Laterality.RIGHT, 1), (Laterality.LEFT, -1)])
def test_places_stay_as_the_patient_sees_them(laterality: Laterality, sign: int) -> None:
    found = read(build_opv(laterality))

    places = {(point.x_degree, point.y_degree) for point in found.points}
    assert places == {(sign * x, y) for x, y in POINTS_DEGREE} | {(sign * 15, 3), (sign * 15, -3)}
    assert (sign * -27, 3) in places


def test_order_in_the_object_does_not_matter() -> None:
    dataset = build_opv()
    dataset.VisualFieldTestPointSequence = list(dataset.VisualFieldTestPointSequence)[::-1]

    np.testing.assert_array_equal(read(dataset).sensitivities_db, build_field_db())


def test_what_the_device_says_of_the_test_is_read() -> None:
    found = read(build_opv())

    assert (found.pattern, found.strategy) == (FieldPattern.P24_2, "SITA-Standard")
    assert found.measured_at == TESTED_AT
    assert found.age_years == pytest.approx(52.93, abs=0.01)
    assert (found.mean_deviation_db, found.pattern_standard_deviation_db) == (-4.25, 3.5)
    assert found.visual_field_index_percent == 88
    assert found.glaucoma_hemifield_test == "Outside normal limits"
    assert found.foveal_sensitivity_db == 36
    assert found.reliability == Reliability(16, 2, 4.0, None, 312.0)
    assert {(p.total_deviation_db, p.pattern_deviation_db) for p in found.points} == {(-2.5, -1.5)}


def test_time_of_the_acquisition_counts_first() -> None:
    dataset = build_opv(AcquisitionDateTime="20110301100000+0200")

    assert read(dataset).measured_at == datetime.fromisoformat("2011-03-01T10:00:00+02:00")


def test_what_was_not_seen_is_the_floor_and_is_told_apart() -> None:
    found = read(build_opv(points={(-9.0, 21.0): None, (-3.0, 21.0): -1.0}))

    assert found.sensitivities_db is not None
    assert list(found.sensitivities_db[:2]) == [0, 0]
    unseen = [p for p in found.points if not p.is_seen and p.y_degree == 21]
    assert [(p.x_degree, p.sensitivity_db) for p in unseen] == [(-9, None), (-3, None)]


def test_negative_number_alone_was_not_seen() -> None:
    dataset = build_opv(points={(-9.0, 21.0): -1.0})
    del dataset.VisualFieldTestPointSequence[0].StimulusResults

    point = read(dataset).points[0]

    assert (point.is_seen, point.sensitivity_db) == (False, None)


@pytest.mark.parametrize("value", [-100.0, -1.0])
def test_what_was_seen_without_a_possible_number_leaves_no_whole_field(value: float) -> None:
    dataset = build_opv()
    item = dataset.VisualFieldTestPointSequence[0]
    item.StimulusResults, item.SensitivityValue = "SEEN", value

    found = read(dataset)

    assert (found.points[0].is_seen, found.points[0].sensitivity_db) == (True, None)
    assert found.sensitivities_db is None


def test_what_is_not_available_is_no_number() -> None:
    dataset = build_opv(FovealSensitivity=-100.0, VisualFieldTestDuration=-100.0)
    normals = dataset.ResultsNormalsSequence[0]
    normals.GlobalDeviationFromNormal = normals.LocalizedDeviationFromNormal = -100.0
    index = dataset.VisualFieldGlobalResultsIndexSequence[0].DataObservationSequence[0]
    index.NumericValue = -100.0
    for item in dataset.VisualFieldTestPointSequence:
        of_point = item.VisualFieldTestPointNormalsSequence[0]
        of_point.AgeCorrectedSensitivityDeviationValue = -100.0
        of_point.GeneralizedDefectCorrectedSensitivityDeviationValue = -100.0

    found = read(dataset)

    assert (found.mean_deviation_db, found.pattern_standard_deviation_db) == (None, None)
    assert (found.visual_field_index_percent, found.foveal_sensitivity_db) == (None, None)
    assert found.reliability.test_duration_seconds is None
    deviations = {(p.total_deviation_db, p.pattern_deviation_db) for p in found.points}
    assert deviations == {(None, None)}


def test_point_without_a_value_leaves_no_whole_field() -> None:
    dataset = build_opv()
    del dataset.VisualFieldTestPointSequence[4].SensitivityValue

    assert read(dataset).sensitivities_db is None


@pytest.mark.parametrize(
    ("pattern", "count", "is_whole"),
    [("30-2", 76, True), ("10-2", 68, False), ("24-2C", 59, True)],
)
def test_other_patterns_are_kept_as_what_they_are(pattern: str, count: int, is_whole: bool) -> None:
    found = read(build_opv(pattern=pattern))

    assert (found.pattern, len(found.points)) == (pattern, count)
    assert (found.sensitivities_db is not None) is is_whole


def test_pattern_nobody_knows_is_other() -> None:
    dataset = build_opv()
    dataset.PerformedProtocolCodeSequence[0].CodeValue = "OPVTP999"

    assert read(dataset).pattern is FieldPattern.OTHER
    assert read(build_opv(PerformedProtocolCodeSequence=None)).pattern is FieldPattern.OTHER


def test_strategy_of_an_unknown_code_is_in_the_device_s_words() -> None:
    dataset = build_opv()
    dataset.PerformedProtocolCodeSequence[1].CodeValue = "X1"
    dataset.PerformedProtocolCodeSequence[1].CodeMeaning = "Own strategy"

    assert read(dataset).strategy == "Own strategy"


def test_laterality_of_the_series_will_do_where_the_own_is_absent() -> None:
    dataset = build_opv(Laterality.LEFT, MeasurementLaterality=None, Laterality="L")

    assert read(dataset).laterality is Laterality.LEFT


@pytest.mark.parametrize(
    ("laterality", "word"),
    [(Laterality.RIGHT, "OD"), (Laterality.LEFT, "os"), (Laterality.LEFT, "OS,L")],
)
def test_eye_is_known_by_the_words_of_older_exports(laterality: Laterality, word: str) -> None:
    with config.disable_value_validation():
        alone = build_opv(laterality, MeasurementLaterality=word)
        beside = build_opv(laterality, MeasurementLaterality=word, Laterality=laterality)

    assert [read(dataset).laterality for dataset in (alone, beside)] == [laterality] * 2


@pytest.mark.parametrize(
    ("keywords", "cause"),
    [
        ({"MeasurementLaterality": "L"}, "says left eye, the test points are those of a right eye"),
        ({"Laterality": "L"}, "differ"),
        ({"MeasurementLaterality": "B"}, "name both eyes"),
        ({"MeasurementLaterality": "OU"}, "name both eyes"),
        ({"MeasurementLaterality": "OD,OS"}, "differ"),
        ({"MeasurementLaterality": "OD", "Laterality": "L"}, "differ"),
        ({"MeasurementLaterality": None}, "name no eye"),
        ({"MeasurementLaterality": "X"}, "name no eye"),
        ({"VisualFieldTestPointSequence": None}, "has no points"),
        ({"SeriesDescription": "AI estimated VF 24-2 R"}, "not measured"),
        ({"ImageComments": "Estimation from OCT"}, "not measured"),
        ({"CommentsOnPatientPerformanceOfVisualField": "PREDICTED"}, "not measured"),
    ],
)
def test_what_cannot_be_trusted_is_refused_with_the_cause(
    keywords: dict[str, object], cause: str
) -> None:
    with config.disable_value_validation():
        dataset = build_opv(**keywords)

    with pytest.raises(FieldRefused, match=cause):
        read(dataset)


def test_two_points_at_one_place_are_refused() -> None:
    dataset = build_opv()
    dataset.VisualFieldTestPointSequence.append(dataset.VisualFieldTestPointSequence[0])

    with pytest.raises(FieldRefused, match="same coordinates"):
        read(dataset)


def test_point_without_coordinates_and_impossible_value_are_refused() -> None:
    nowhere, too_much = build_opv(), build_opv(points={(3.0, 3.0): 4000.0})
    del nowhere.VisualFieldTestPointSequence[3].VisualFieldTestPointXCoordinate

    with pytest.raises(FieldRefused, match="no coordinates"):
        read(nowhere)
    with pytest.raises(FieldRefused, match="above 60 dB"):
        read(too_much)
