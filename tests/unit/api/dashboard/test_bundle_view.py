import re

import pytest

from api.dashboard.bscan_view import bscan_axis
from api.dashboard.bundle_view import bundles_of, on_bscan, sector_at
from core.perimetry.nerve_fibres import DISC_SECTORS, ENTRY_ANGLES_DEGREE
from core.values.circle_course import CircleCourse
from core.values.laterality import Laterality
from tests.builders.prediction import POINTS_DEGREE, Loss, build_prediction

_EYES = [(Laterality.RIGHT, 1), (Laterality.LEFT, -1)]
#: A quarter of a degree to each column.
_FROM_TEMPORAL = CircleCourse(0.0, 0.25)


def _places(arc: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", arc)]


@pytest.mark.parametrize(("eye", "sign"), _EYES)
def test_arcs_lead_from_the_disc_to_where_the_retina_sees_the_point(
    eye: Laterality, sign: int
) -> None:
    bundles = bundles_of(build_prediction(laterality=eye), None)

    for bundle, (x, y) in zip(bundles, POINTS_DEGREE, strict=True):
        first, *_, last = _places(bundle.arc)
        # The retina sees the upper field below; the drawing counts downwards as the page does.
        assert (bundle.x, bundle.y) == (sign * x, y)
        assert first == pytest.approx((sign * 15, -2), abs=4.2)
        assert last == pytest.approx((bundle.x, bundle.y), abs=1.7)


@pytest.mark.parametrize(("eye", "sign"), _EYES)
def test_eyes_mirror_each_other_on_the_retina_and_not_on_the_profile(
    eye: Laterality, sign: int
) -> None:
    right = bundles_of(build_prediction(laterality=Laterality.RIGHT), None)
    own = bundles_of(build_prediction(laterality=eye), None)

    assert [(sign * b.x, b.y) for b in own] == [(b.x, b.y) for b in right]
    assert [b.on_profile for b in own] == [b.on_profile for b in right]


def test_fibres_are_shown_where_they_cross_the_circle() -> None:
    (bundle,) = (b for b in bundles_of(build_prediction(), None) if b.location == 12)

    (span,) = bundle.on_profile
    assert bundle.entry_degree == "285"
    assert bundle.sector == "TI"
    assert span.x + span.width / 2 == pytest.approx(284.6 * 3, abs=0.2)
    assert span.width == pytest.approx(2 * 8.8 * 3, abs=0.1)


def test_thickness_is_that_of_the_profile_where_they_cross() -> None:
    healthy, thin = (
        {b.location: b for b in bundles_of(build_prediction(loss=loss), None)}
        for loss in (Loss.NONE, Loss.ARCUATE)
    )

    assert int(healthy[12].thickness_um) - int(thin[12].thickness_um) > 60
    assert healthy[38].thickness_um == thin[38].thickness_um
    assert int(healthy[12].normal_um) == pytest.approx(163, abs=6)


def test_norm_is_empty_without_an_age_and_places_without_a_profile() -> None:
    (first, *_) = bundles_of(build_prediction(age_years=None, thickness_um=None), None)

    assert (first.normal_um, first.thickness_um, first.on_profile) == ("", "", ())


def test_nothing_is_linked_where_the_eye_is_unknown() -> None:
    assert bundles_of(build_prediction(laterality=None), None) == ()


@pytest.mark.parametrize(
    ("course", "expected"),
    [
        (CircleCourse(0.0, 0.25), [(320.5, 80.0)]),
        (CircleCourse(80.0, 0.25), [(0.5, 80.0)]),
        (CircleCourse(90.0, 0.25), [(1400.5, 39.5), (0.0, 40.5)]),
        (CircleCourse(0.0, -0.25), [(1040.5, 80.0)]),
    ],
)
def test_columns_are_found_whichever_way_they_run(
    course: CircleCourse, expected: list[tuple[float, float]]
) -> None:
    spans = on_bscan(course, 1440, 90.0, 10.0)

    assert [(span.x, span.width) for span in spans] == expected


def test_columns_of_another_picture_are_not_taken_for_those_that_were_measured() -> None:
    assert on_bscan(_FROM_TEMPORAL, 700, 90.0, 10.0) == ()
    assert on_bscan(None, 1440, 90.0, 10.0) == ()
    assert on_bscan(_FROM_TEMPORAL, None, 90.0, 10.0) == ()


def test_axis_names_the_columns() -> None:
    assert bscan_axis(_FROM_TEMPORAL, 1440) == (
        ("T", 0.5),
        ("S", 360.5),
        ("N", 720.5),
        ("I", 1080.5),
    )
    assert bscan_axis(CircleCourse(180.0, -0.25), 1440) == (
        ("T", 720.5),
        ("S", 360.5),
        ("N", 0.5),
        ("I", 1080.5),
    )


def test_sectors_of_the_profile_agree_with_those_of_the_disc() -> None:
    """Two sources, whose limits differ: most points lie in the same one."""
    same = {"T": "T", "TS": "ST", "NS": "SN", "N": "N", "NI": "IN", "TI": "IT"}

    agree = [
        same[sector_at(angle)] == name
        for angle, name in zip(ENTRY_ANGLES_DEGREE, DISC_SECTORS, strict=True)
    ]

    assert sum(agree) >= 43
