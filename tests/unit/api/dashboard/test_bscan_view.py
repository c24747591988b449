from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from api.dashboard.bscan_view import BscanView, bscan_view
from core.values.profile import Layers
from dicom_node.storage.bytes import Storage

_KEY = "previews/ab/scan.png"


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    kept = Storage(f"file://{tmp_path}")
    picture = BytesIO()
    Image.fromarray(np.zeros((5, 3), np.uint8)).save(picture, "PNG")
    kept.put(_KEY, picture.getvalue())
    return kept


def _layers(*ilm: float) -> Layers:
    rows = np.array(ilm, np.float32)
    return Layers(rows, rows + 1)


def test_bscan_view_draws_borders_through_the_middle_of_pixels(storage: Storage) -> None:
    view = bscan_view(storage, _KEY, _layers(0, 1.25, 2))

    assert view == BscanView(3, 5, "M0.5 0.50L1.5 1.75L2.5 2.50", "M0.5 1.50L1.5 2.75L2.5 3.50")


def test_bscan_view_interrupts_a_border_where_none_was_found(storage: Storage) -> None:
    view = bscan_view(storage, _KEY, _layers(0, np.nan, 2))

    assert view is not None
    assert view.ilm == "M0.5 0.50M2.5 2.50"


def test_bscan_view_draws_no_borders_of_another_width(storage: Storage) -> None:
    assert bscan_view(storage, _KEY, _layers(0, 1)) == BscanView(3, 5, "", "")


def test_bscan_view_is_none_without_a_picture(storage: Storage) -> None:
    storage.put("previews/ab/other.png", b"not a picture")

    assert bscan_view(storage, None, None) is None
    assert bscan_view(storage, "previews/ab/lost.png", None) is None
    assert bscan_view(storage, "previews/ab/other.png", None) is None
