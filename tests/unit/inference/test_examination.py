import numpy as np
import pytest
from pydicom.dataset import Dataset

from core.values.fundus import FUNDUS_SHAPE
from core.values.laterality import Laterality
from core.values.reason import ReasonCode
from core.values.scan import Device, ScanKind
from inference.examination import Examination, examine, kind_of, unread
from inference.model_card import ModelKind
from inference.stored_scan import StoredScan
from tests.builders.fundus import build_fundus_photograph
from tests.builders.opt import SCANNED_AT, build_circle_opt, build_line_opt, build_localizer
from tests.builders.photograph import build_photograph, even_picture

ADULTS = (20.0, 92.0)
BOTH_KINDS = dict.fromkeys(ModelKind, ADULTS)


def codes_of(examination: Examination) -> list[ReasonCode]:
    return [reason.code for reason in examination.reasons]


@pytest.mark.parametrize("laterality", Laterality)
def test_good_scan_gives_the_input_of_the_model(laterality: Laterality) -> None:
    scan, localizer = (
        build(laterality=laterality, age_years=50.0)
        for build in (build_circle_opt, build_localizer)
    )

    found = examine(StoredScan(scan, localizer), BOTH_KINDS)

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

    found = examine(StoredScan(scan, localizer), BOTH_KINDS)

    assert codes_of(found) == [ReasonCode.LATERALITY_CONFLICT]
    assert (found.laterality, found.scan, found.input) == (None, None, None)


def test_conflicting_laterality_leaves_no_eye() -> None:
    found = examine(StoredScan(build_circle_opt(frame_laterality="L")), BOTH_KINDS)

    assert codes_of(found) == [ReasonCode.LATERALITY_CONFLICT]
    assert (found.laterality, found.input) == (None, None)


def test_refused_scan_keeps_what_is_certain() -> None:
    found = examine(StoredScan(build_line_opt(laterality=Laterality.LEFT)), BOTH_KINDS)

    assert codes_of(found) == [ReasonCode.SCAN_PATTERN_UNSUPPORTED]
    assert (found.laterality, found.scan, found.profile) == (Laterality.LEFT, None, None)
    assert found.age_years == pytest.approx(60.0, abs=0.01)


def test_picture_without_contrast_keeps_the_scan_and_gives_no_input() -> None:
    scan = build_circle_opt()
    scan.PixelData = bytes(len(scan.PixelData))

    found = examine(StoredScan(scan), BOTH_KINDS)

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
    found = examine(StoredScan(scan), BOTH_KINDS)

    assert codes_of(found) == [code]
    assert found.profile is not None
    assert found.input is None


def test_object_of_another_class_is_no_model_input() -> None:
    found = examine(StoredScan(build_localizer()), BOTH_KINDS)

    assert codes_of(found) == [ReasonCode.NOT_MODEL_INPUT]
    assert found.laterality is Laterality.RIGHT


@pytest.mark.parametrize("laterality", Laterality)
def test_good_photograph_gives_the_input_of_the_fundus_model(laterality: Laterality) -> None:
    found = examine(StoredScan(build_fundus_photograph(laterality)), BOTH_KINDS)

    assert (found.kind, found.scan_kind) == (ModelKind.FUNDUS, ScanKind.FUNDUS)
    assert (found.laterality, found.reasons, found.profile) == (laterality, (), None)
    assert found.fundus is not None
    assert found.picture is found.fundus.picture
    assert found.input is not None
    ring, age_years = found.input
    assert ring.shape == FUNDUS_SHAPE
    assert age_years == pytest.approx(60.0, abs=0.01)
    assert found.quality is not None
    assert found.quality.assessable


def test_photograph_without_a_disc_keeps_its_picture_and_gives_no_input() -> None:
    even = build_photograph(pixels=even_picture(400, 400))

    found = examine(StoredScan(even), BOTH_KINDS)

    assert codes_of(found) == [ReasonCode.DISC_NOT_FOUND]
    assert found.picture is not None
    assert found.picture.shape == (400, 400, 3)
    assert (found.laterality, found.input) == (Laterality.RIGHT, None)


def test_photograph_of_the_other_eye_is_shown_under_no_eye() -> None:
    """The header says left, the picture shows the macula where a right eye has it."""
    photograph = build_fundus_photograph(Laterality.RIGHT)
    photograph.ImageLaterality = "L"

    found = examine(StoredScan(photograph), BOTH_KINDS)

    assert codes_of(found) == [ReasonCode.LATERALITY_CONFLICT]
    assert (found.laterality, found.input) == (None, None)


def test_photograph_without_age_gives_no_input() -> None:
    photograph = build_fundus_photograph(Laterality.LEFT, age_years=None)

    found = examine(StoredScan(photograph), BOTH_KINDS)

    assert codes_of(found) == [ReasonCode.AGE_MISSING]
    assert found.input is None


def test_photograph_of_an_oct_scan_is_no_model_input() -> None:
    found = examine(StoredScan(build_photograph(), is_of_oct_scan=True), BOTH_KINDS)

    assert codes_of(found) == [ReasonCode.NOT_MODEL_INPUT]
    assert found.kind is ModelKind.FUNDUS


@pytest.mark.parametrize(
    ("dataset", "kind", "command"),
    [
        (build_photograph(), ModelKind.FUNDUS, "arcuate models activate fundus_field"),
        (build_circle_opt(), ModelKind.PROFILE, "arcuate models activate retinervenet"),
    ],
)
def test_without_a_model_of_its_kind_a_scan_is_no_model_input(
    dataset: Dataset, kind: ModelKind, command: str
) -> None:
    others = {other: ADULTS for other in ModelKind if other is not kind}

    found = examine(StoredScan(dataset), others)

    assert kind_of(dataset.SOPClassUID) is kind
    assert codes_of(found) == [ReasonCode.NOT_MODEL_INPUT]
    assert command in found.reasons[0].message
    assert unread(Device("Maker"), kind).reasons == found.reasons


def test_limits_of_age_are_those_of_the_model_of_its_kind() -> None:
    limits = {ModelKind.PROFILE: ADULTS, ModelKind.FUNDUS: (65.0, 80.0)}

    found = examine(StoredScan(build_fundus_photograph(Laterality.RIGHT)), limits)

    assert codes_of(found) == [ReasonCode.OUTSIDE_INTENDED_USE]
    assert "65 to 80" in found.reasons[0].message
