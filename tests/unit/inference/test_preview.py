from hashlib import sha256
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from dicom_node.devices.reading import read_scan
from dicom_node.storage.bytes import Storage
from inference.preview import keep_pictures
from sample_dicom.eye import Recording
from tests.builders.opt import build_circle_opt


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    opened = Storage(f"file://{tmp_path / 'instances'}")
    opened.prepare()
    return opened


def keep_preview(storage: Storage, picture: NDArray[np.float32]) -> str:
    return str(keep_pictures(storage, picture).scan_key)


def test_preview_is_the_scan_as_displayed_in_full_size(storage: Storage) -> None:
    dataset = build_circle_opt()

    key = keep_preview(storage, read_scan(dataset).pixels)

    content = storage.read(key)
    shown = np.asarray(Image.open(BytesIO(content)))
    stored = np.frombuffer(dataset.PixelData, np.uint8).reshape(dataset.Rows, dataset.Columns)
    assert np.array_equal(shown, stored)
    digest = sha256(content).hexdigest()
    assert key == f"previews/{digest[:2]}/{digest}.png"


def test_preview_of_16_bits_has_8_and_keeps_the_brightness(storage: Storage) -> None:
    scan = read_scan(build_circle_opt(recording=Recording(bits=16)))

    shown = Image.open(BytesIO(storage.read(keep_preview(storage, scan.pixels))))

    assert shown.mode == "L"
    assert np.abs(np.asarray(shown) / 255 - scan.pixels).max() <= 0.5 / 255 + 1e-6


def test_preview_of_the_same_scan_is_kept_once(storage: Storage, tmp_path: Path) -> None:
    scan = read_scan(build_circle_opt())

    keys = {keep_preview(storage, scan.pixels) for _ in range(2)}

    files = [path for path in (tmp_path / "instances" / "previews").rglob("*") if path.is_file()]
    assert (len(keys), len(files)) == (1, 1)


def test_preview_carries_no_text(storage: Storage) -> None:
    """A patient's name must not travel in the comment of a picture."""
    scan = read_scan(build_circle_opt())

    assert Image.open(BytesIO(storage.read(keep_preview(storage, scan.pixels)))).info == {}


def test_preview_of_a_photograph_keeps_its_colours(storage: Storage) -> None:
    photograph = np.zeros((4, 6, 3), np.float32)
    photograph[..., 0], photograph[1, 2] = 1.0, (0.2, 0.4, 0.6)

    shown = Image.open(BytesIO(storage.read(keep_preview(storage, photograph))))

    assert (shown.mode, shown.size) == ("RGB", (6, 4))
    assert (shown.getpixel((0, 0)), shown.getpixel((2, 1))) == ((255, 0, 0), (51, 102, 153))


def test_place_without_a_value_is_black(storage: Storage) -> None:
    picture = np.array([[np.nan, 1.5, -1.0]], np.float32)

    shown = Image.open(BytesIO(storage.read(keep_preview(storage, picture))))

    assert np.asarray(shown).tolist() == [[0, 255, 0]]
