import re

import numpy as np

from api.dashboard.profile_view import HEIGHT, WIDTH, profile_view
from tests.builders.prediction import build_prediction


def _points(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", path)]


def test_profile_view_draws_every_sample_in_its_place() -> None:
    thickness = np.full(768, 110, np.float32)

    view = profile_view(build_prediction(thickness_um=thickness))

    assert view is not None
    points = _points(view.curve)
    assert len(points) == 768
    assert {y for _, y in points} == {HEIGHT / 2}
    assert points[383:385] == [(round(WIDTH * k / 768, 1), HEIGHT / 2) for k in (383.5, 384.5)]


def test_profile_view_names_sectors_with_their_means() -> None:
    view = profile_view(build_prediction(thickness_um=np.full(768, 110, np.float32)))

    assert view is not None
    assert [(s.name, s.mean_um) for s in view.sectors] == [
        (name, "110") for name in ("T", "TS", "NS", "N", "NI", "TI")
    ]
    assert all(s.normal_um != "–" for s in view.sectors)
    assert [int(s.from_normal_um.replace("−", "-")) for s in view.sectors] == [
        110 - int(s.normal_um) for s in view.sectors
    ]


def test_profile_view_lays_sectors_side_by_side_over_the_whole_width() -> None:
    view = profile_view(build_prediction())

    assert view is not None
    pieces = sorted(piece for sector in view.sectors for piece in sector.pieces)
    assert [left for left, _ in pieces] == [0, *(left + width for left, width in pieces)][:-1]
    assert sum(width for _, width in pieces) == WIDTH
    assert len(view.sectors[0].pieces) == 2


def test_profile_view_draws_an_earlier_profile_beside_it() -> None:
    earlier = np.full(768, 280, np.float32)

    view = profile_view(build_prediction(), earlier)

    assert view is not None
    assert len(_points(view.earlier_curve)) == 768
    assert min(y for _, y in _points(view.earlier_curve)) > 0


def test_profile_view_has_no_norm_without_an_age() -> None:
    view = profile_view(build_prediction(age_years=None))

    assert view is not None
    assert (view.normal_band, view.normal_curve, view.normal_mean_um) == ("", "", "")


def test_profile_view_keeps_a_thick_profile_inside() -> None:
    view = profile_view(build_prediction(thickness_um=np.full(768, 290, np.float32)))

    assert view is not None
    assert min(y for _, y in _points(view.curve)) > 0


def test_profile_view_leaves_missing_samples_out() -> None:
    thickness = np.full(768, 110, np.float32)
    thickness[5] = np.nan

    view = profile_view(build_prediction(thickness_um=thickness))

    assert view is not None
    assert len(_points(view.curve)) == 767


def test_profile_view_is_none_without_a_profile() -> None:
    assert profile_view(build_prediction(thickness_um=None)) is None
