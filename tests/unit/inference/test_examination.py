import numpy as np
import pytest
from pydicom.dataset import Dataset

from core.values.laterality import Laterality
from core.values.reason import ReasonCode
from inference.examination import Examination, examine
from tests.builders.opt import SCANNED_AT, build_circle_opt, build_line_opt, build_localizer

ADULTS = (20.0, 92.0)


def codes_of(examination: Examination) -> list[ReasonCode]:
    return [reason.code for reason in examination.reasons]


@pytest.mark.parametrize("laterality", Laterality)
def test_good_scan_gives_the_input_of_the_model(laterality: Laterality) -> None:
    scan, localizer = (
        build(laterality=laterality, age_years=50.0)
        for build in (build_circle_opt, build_localizer)
    )

    found = examine(scan, localizer, ADULTS)

    assert (found.laterality, found.acquired_at, found.reasons) == (laterality, SCANNED_AT, ())
    assert found.scan is not None
    assert found.profile is not None
    assert found.input is not None
    thickness_um, age_years = found.input
    assert np.array_equal(thickness_um, found.profile.thickness_um)
    assert age_years == pytest.approx(50.0, abs=0.01)


def test_localizer_of_the_other_eye_leaves_no_eye() -> None:
    """A refused scan must not be shown under the eye that is in doubt."""
    localizer = build_localizer(laterality=Laterality.LEFT)
    scan = build_circle_opt(laterality=Laterality.RIGHT)
    localizer.SOPInstanceUID = build_localizer().SOPInstanceUID

    found = examine(scan, localizer, ADULTS)

    assert codes_of(found) == [ReasonCode.LATERALITY_CONFLICT]
    assert (found.laterality, found.scan, found.input) == (None, None, None)


def test_conflicting_laterality_leaves_no_eye() -> None:
    found = examine(build_circle_opt(frame_laterality="L"), None, ADULTS)

    assert codes_of(found) == [ReasonCode.LATERALITY_CONFLICT]
    assert (found.laterality, found.input) == (None, None)


def test_refused_scan_keeps_what_is_certain() -> None:
    found = examine(build_line_opt(laterality=Laterality.LEFT), None, ADULTS)

    assert codes_of(found) == [ReasonCode.SCAN_PATTERN_UNSUPPORTED]
    assert (found.laterality, found.scan, found.profile) == (Laterality.LEFT, None, None)
    assert found.age_years == pytest.approx(60.0, abs=0.01)


def test_picture_without_contrast_keeps_the_scan_and_gives_no_input() -> None:
    scan = build_circle_opt()
    scan.PixelData = bytes(len(scan.PixelData))

    found = examine(scan, None, ADULTS)

    assert codes_of(found) == [ReasonCode.SIGNAL_TOO_LOW]
    assert found.scan is not None
    assert found.profile is not None
    assert np.isnan(found.profile.thickness_um).all()
    assert found.input is None


@pytest.mark.parametrize(
    ("scan", "code"),
    [
        (build_circle_opt(age_years=None), ReasonCode.AGE_MISSING),
        (build_circle_opt(PatientBirthDate="20990101"), ReasonCode.AGE_MISSING),
        (build_circle_opt(age_years=15.0), ReasonCode.OUTSIDE_INTENDED_USE),
        (build_circle_opt(age_years=95.0), ReasonCode.OUTSIDE_INTENDED_USE),
    ],
    ids=["none", "unborn", "child", "very old"],
)
def test_age_the_model_cannot_use_gives_no_input(scan: Dataset, code: ReasonCode) -> None:
    found = examine(scan, None, ADULTS)

    assert codes_of(found) == [code]
    assert found.profile is not None
    assert found.input is None


def test_object_of_another_class_is_no_model_input() -> None:
    found = examine(build_localizer(), None, ADULTS)

    assert codes_of(found) == [ReasonCode.NOT_MODEL_INPUT]
    assert found.laterality is Laterality.RIGHT
