import pytest

from api.dashboard.fundus_view import fundus_view
from core.values.fundus_place import FundusPlace, FundusSource
from core.values.laterality import Laterality
from tests.builders.prediction import build_prediction

_PLACE = FundusPlace(FundusSource.LOCALIZER, 640, 480, 200.0, 400.0, 120.0, 20.0, True)


@pytest.mark.parametrize(("eye", "sign"), [(Laterality.RIGHT, 1), (Laterality.LEFT, -1)])
def test_picture_lies_with_the_circle_on_the_disc(eye: Laterality, sign: int) -> None:
    view = fundus_view(build_prediction(laterality=eye, fundus=_PLACE), has_picture=True)

    assert view is not None
    assert view.picture is not None
    assert (view.disc_x, view.disc_y, view.radius) == (sign * 15, -2, 6)
    picture = view.picture
    assert (picture.width, picture.height) == (32, 24)
    assert picture.x + _PLACE.centre_column / 20 == view.disc_x
    assert picture.y + _PLACE.centre_row / 20 == view.disc_y
    assert view.disc_radius is None


@pytest.mark.parametrize(("eye", "sign"), [(Laterality.RIGHT, 1), (Laterality.LEFT, -1)])
def test_drawing_leaves_room_for_every_point(eye: Laterality, sign: int) -> None:
    view = fundus_view(build_prediction(laterality=eye), has_picture=False)

    assert view is not None
    left, top, width, height = view.box
    for x, y in ((-27, 3), (21, 9), (-9, 21), (9, -21)):
        assert left + 1 < sign * x < left + width - 1
        assert top + 1 < y < top + height - 1


def test_retina_is_drawn_where_no_picture_is_kept() -> None:
    lost = fundus_view(build_prediction(fundus=_PLACE), has_picture=False)
    never = fundus_view(build_prediction(), has_picture=False)

    assert lost == never
    assert lost is not None
    assert lost.picture is None
    assert lost.radius == 6
    assert lost.disc_radius == 2.9


def test_nothing_is_drawn_of_an_unknown_eye() -> None:
    assert fundus_view(build_prediction(laterality=None), has_picture=False) is None
