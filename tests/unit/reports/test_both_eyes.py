from copy import deepcopy
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from highdicom.sr import srread
from matplotlib.figure import Figure
from pydicom import Dataset, dcmwrite

from core.values.both_eyes import BothEyes, EyeOfStudy
from core.values.laterality import Laterality
from core.values.prediction import PredictionStatus
from core.values.review import ReviewDecision
from reports import codes, review_codes
from reports.both_eyes_capture import BothEyesCapture
from reports.both_eyes_format import BothEyesFormat
from reports.both_eyes_page import draw_both_eyes, draw_both_eyes_rgb
from reports.both_eyes_register import BOTH_EYES_FORMATS
from reports.both_eyes_sr import BothEyesSr
from reports.checks import check_both_eyes
from reports.equipment import Equipment
from reports.errors import ReportWrong, SourceConflict
from reports.sheet import HEIGHT_INCHES, WIDTH_INCHES, Sheet
from tests.builders.both_eyes import build_both_eyes, build_left, sources_of, withholding
from tests.builders.prediction import build_fundus_prediction, build_prediction
from tests.builders.report_context import build_kept_report

EQUIPMENT = Equipment("1.2.3", "node-1")
NOT_ASSESSABLE = build_left(status=PredictionStatus.NOT_ASSESSABLE)


def build(report_format: BothEyesFormat, both: BothEyes) -> Dataset:
    return report_format.build_both(both, sources_of(both), EQUIPMENT)


def encoded(report: Dataset) -> bytes:
    buffer = BytesIO()
    dcmwrite(buffer, report, enforce_file_format=True)
    return buffer.getvalue()


def words_of(both: BothEyes) -> str:
    figure = Figure(figsize=(WIDTH_INCHES, HEIGHT_INCHES))
    draw_both_eyes(Sheet(figure), both)
    return " | ".join(" ".join(text.get_text().split()) for text in figure.texts)


def test_each_format_is_of_another_kind() -> None:
    assert [f.kind for f in BOTH_EYES_FORMATS] == ["sr", "sc", "pdf"]


def test_tree_has_the_whole_of_each_eye_and_no_points() -> None:
    both = build_both_eyes()

    groups = srread(
        BytesIO(encoded(build(BothEyesSr(), both)))
    ).content.get_image_measurement_groups()

    found = {
        group.finding_sites[0].laterality: {
            m.name: (m.value, m.unit, m.derivation) for m in group.get_measurements()
        }
        for group in groups
    }
    assert found == {
        codes.LATERALITY[eye.prediction.laterality]: {
            codes.MEAN_DEVIATION: (
                round(eye.prediction.deviations.mean_deviation_db, 2) + 0.0,
                codes.DECIBEL,
                codes.ESTIMATED,
            ),
            codes.MEAN_SENSITIVITY: (
                round(eye.prediction.deviations.mean_sensitivity_db, 2),
                codes.DECIBEL,
                codes.ESTIMATED,
            ),
        }
        for eye in both.eyes
    }
    assert len(groups) == 2


def test_tree_says_why_an_eye_has_no_estimate() -> None:
    report = build(BothEyesSr(), build_both_eyes(left=NOT_ASSESSABLE))

    groups = srread(BytesIO(encoded(report))).content.get_image_measurement_groups()

    assert [group.finding_type.value for group in groups] == ["EVF", "EVFNA"]
    assert groups[1].get_measurements() == []


def test_tracking_is_that_of_the_report_of_the_eye() -> None:
    groups = srread(
        BytesIO(encoded(build(BothEyesSr(), build_both_eyes())))
    ).content.get_image_measurement_groups()

    assert [group.tracking_identifier for group in groups] == ["VF24-2-R-global", "VF24-2-L-global"]


@pytest.mark.parametrize("report_format", BOTH_EYES_FORMATS, ids=lambda f: f.kind)
def test_report_built_again_has_the_same_bytes_and_another_version_other_uids(
    report_format: BothEyesFormat,
) -> None:
    first, again = (build(report_format, build_both_eyes()) for _ in range(2))
    later = build(report_format, build_both_eyes(version=2))

    assert encoded(first) == encoded(again)
    assert first.SOPInstanceUID != later.SOPInstanceUID
    assert first.SeriesInstanceUID != later.SeriesInstanceUID
    assert (first.InstanceNumber, later.InstanceNumber) == (1, 2)


def test_report_of_another_node_is_another_object() -> None:
    here = build(BothEyesSr(), build_both_eyes())
    for there in (
        {"left": build_left(prediction_id="other")},
        {"right": build_prediction(prediction_id="other")},
    ):
        report = build(BothEyesSr(), build_both_eyes(**there))

        assert report.SOPInstanceUID != here.SOPInstanceUID
        assert report.SeriesInstanceUID != here.SeriesInstanceUID


@pytest.mark.parametrize("report_format", BOTH_EYES_FORMATS, ids=lambda f: f.kind)
def test_report_names_what_it_rests_on_and_what_it_replaces(report_format: BothEyesFormat) -> None:
    both = build_both_eyes()
    kept = [build_kept_report("sr", sop_instance_uid="2.25.901")]
    before = [
        build_kept_report("sr", sop_instance_uid="2.25.800"),
        build_kept_report("pdf", sop_instance_uid="2.25.801"),
    ]

    report = report_format.build_both(both, sources_of(both), EQUIPMENT, kept, before)

    named = {e.value for e in report.iterall() if e.keyword == "ReferencedSOPInstanceUID"}
    scans = {"2.25.103", "2.25.203"}
    # A picture has no place to name what it replaces.
    beside = {"sr": {"2.25.800", "2.25.901"}, "sc": set[str](), "pdf": {"2.25.801"}}
    assert named == scans | beside[report_format.kind]
    replaced = [
        instance.ReferencedSOPInstanceUID
        for study in report.get("PredecessorDocumentsSequence", ())
        for instance in study.ReferencedSeriesSequence[0].ReferencedSOPSequence
    ]
    assert replaced == {"sr": ["2.25.800"], "sc": [], "pdf": ["2.25.801"]}[report_format.kind]


def test_models_of_the_two_eyes_are_both_named() -> None:
    right = build_fundus_prediction(prediction_id="right")

    report = build(BothEyesSr(), build_both_eyes(right=right))

    said = {
        item.ContributionDescription
        for item in report.ContributingEquipmentSequence
        if item.ManufacturerModelName == "Arcuate"
    }
    assert said == {
        "24-2 visual field estimated from OCT, not measured",
        "24-2 visual field estimated from a fundus photograph, not measured",
    }


def test_page_has_each_eye_under_its_name_with_what_is_amiss() -> None:
    both = build_both_eyes(left=NOT_ASSESSABLE, missing=2, of_neither=1)
    right = EyeOfStudy(both.right.prediction, 3, 4.1, disagree=True)

    words = words_of(BothEyes(**{**vars(both), "right": right, "version": 3}))

    assert words.startswith("ESTIMATED from OCT, not measured | ")
    for sentence in (
        "Study summary, version 3, 2026-03-04 10:00 UTC",
        "2 announced object(s) did not come; 1 scan(s) of an unknown eye",
        "3 results of this eye disagree: MD 4.1 dB apart",
        "RIGHT EYE (OD) |",
        "LEFT EYE (OS) |",
        "NO ESTIMATE",
        "• The signal is 9 dB; below 15 dB no field is estimated.",
    ):
        assert sentence in words
    assert words.index("RIGHT EYE (OD)") < words.index("LEFT EYE (OS)")


def test_picture_is_the_page_and_says_what_it_was_drawn_from() -> None:
    both = build_both_eyes(right=build_fundus_prediction(prediction_id="right"))

    image = build(BothEyesCapture(), both)

    # 827 by 1169 hundredths of an inch, at 150 pixels an inch.
    assert (image.Columns, image.Rows) == (1240, 1753)
    np.testing.assert_array_equal(image.pixel_array, draw_both_eyes_rgb(both))
    assert (image.ImageLaterality, image.Modality, "Laterality" in image) == ("B", "OT", False)
    assert image.SeriesNumber == 24206
    for words in ("from a fundus photograph and of ", "from OCT; not a measured visual field."):
        assert words in image.DerivationDescription


def test_page_of_two_origins_says_both() -> None:
    both = build_both_eyes(right=build_fundus_prediction(prediction_id="right"))

    assert words_of(both).startswith("ESTIMATED from a fundus photograph and OCT, not measured")


DECIDED = "REJECTED, NOT TO BE USED, by dr-ito on 2026-03-05 08:15 UTC: Drusen."


@pytest.mark.parametrize("report_format", BOTH_EYES_FORMATS, ids=lambda f: f.kind)
def test_lists_say_which_eye_is_not_to_be_used(report_format: BothEyesFormat) -> None:
    both = withholding(build_both_eyes(), left=True)
    neither = withholding(build_both_eyes(), right=True, left=True)

    described = [build(report_format, one).SeriesDescription for one in (both, neither)]

    assert described == [
        "AI estimated VF 24-2 R+L - not measured, L not to be used",
        "AI estimated VF 24-2 R+L - not measured, R+L not to be used",
    ]
    check_both_eyes(build(report_format, both), both)


def test_tree_has_the_decision_in_place_of_the_numbers_of_an_eye() -> None:
    report = build(BothEyesSr(), withholding(build_both_eyes(), left=True))

    right, left = srread(BytesIO(encoded(report))).content.get_image_measurement_groups()

    assert [len(group.get_measurements()) for group in (right, left)] == [2, 0]
    [decision] = [
        evaluation
        for evaluation in left.get_qualitative_evaluations()
        if evaluation.name == review_codes.REVIEW_DECISION
    ]
    assert decision.value == review_codes.DECISIONS[ReviewDecision.REJECT]
    texts = [e.value for e in report.iterall() if e.keyword == "TextValue"]
    assert DECIDED in texts


def test_page_has_the_decision_in_place_of_the_field_and_profile_of_an_eye() -> None:
    words = words_of(withholding(build_both_eyes(), left=True))

    assert words.startswith("ESTIMATED from OCT, not measured | ")
    assert words.count("Estimated sensitivity, dB") == words.count("Nerve fibre layer, µm") == 1
    assert words.count("NOT TO BE USED") == 2
    assert DECIDED in words


def test_page_of_two_eyes_that_must_not_be_used_says_so_first() -> None:
    words = words_of(withholding(build_both_eyes(), right=True, left=True))

    assert words.startswith("NO RESULT TO BE USED · nothing was measured | ")
    assert "Estimated sensitivity, dB" not in words
    assert "NOT ASSESSABLE ACCORDING TO ITS REVIEW, by dr-ito on 2026-03-05 08:15 UTC" in words


def test_check_finds_a_number_of_an_eye_that_must_not_be_used() -> None:
    both = build_both_eyes()
    report = build(BothEyesSr(), both)
    report.SeriesDescription += ", L not to be used"

    with pytest.raises(ReportWrong, match="a review said must not be used"):
        check_both_eyes(report, withholding(both, left=True))


def test_page_without_any_estimate_says_so() -> None:
    right = build_prediction(prediction_id="right", status=PredictionStatus.FAILED)

    words = words_of(build_both_eyes(right=right, left=NOT_ASSESSABLE))

    assert words.startswith("NO ESTIMATE · nothing was measured")
    assert "MD" not in words.split(" | ")


@pytest.mark.parametrize(
    ("keyword", "value"), [("PatientBirthDate", "19440506"), ("PatientSex", "M")]
)
def test_scans_of_two_people_are_refused(keyword: str, value: str) -> None:
    both = build_both_eyes()
    sources = sources_of(both)
    setattr(sources[Laterality.LEFT][0], keyword, value)

    with pytest.raises(SourceConflict, match=keyword) as raised:
        BothEyesSr().build_both(both, sources, EQUIPMENT)

    assert value not in str(raised.value)


@pytest.mark.parametrize("report_format", BOTH_EYES_FORMATS, ids=lambda f: f.kind)
def test_check_finds_an_eye_that_is_not_there(report_format: BothEyesFormat) -> None:
    both = build_both_eyes()
    report = build(report_format, both)

    check_both_eyes(report, both)
    with pytest.raises(ReportWrong, match="a right and a left eye"):
        check_both_eyes(report, replace(both, right=both.left, left=both.right))
    wrong = deepcopy(report)
    wrong.SeriesDescription = "AI estimated VF 24-2 R - not measured"
    with pytest.raises(ReportWrong, match="0008,103E"):
        check_both_eyes(wrong, both)
