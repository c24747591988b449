"""Pictures that are no fundus: none may be assessable."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pydicom
import pytest
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

from inference.preparation.fundus import prepare_fundus
from tests.unit.inference.preparation.test_fundus import make_scan

RNG_SEED = 5


def stretched(values: np.ndarray) -> np.ndarray:
    """Return grey or colour values as 0 to 1 with an axis for the bands, at least 256 a side."""
    values = values.astype(np.float64)
    values = (values - values.min()) / np.ptp(values)
    factor = -(-256 // min(values.shape[:2]))
    values = values.repeat(factor, 0).repeat(factor, 1)
    return values if values.ndim == 3 else values[:, :, np.newaxis]


def noise() -> np.ndarray:
    return np.random.default_rng(RNG_SEED).random((600, 600, 1))


def colour_noise() -> np.ndarray:
    return np.random.default_rng(RNG_SEED).random((600, 600, 3))


def clouds() -> np.ndarray:
    white = np.random.default_rng(RNG_SEED).standard_normal((600, 600))
    return stretched(gaussian_filter(white, 4))


def screen() -> np.ndarray:
    image = Image.new("RGB", (1024, 768), "white")
    pen = ImageDraw.Draw(image)
    for line in range(30):
        pen.text(
            (20, 20 + 24 * line), f"Examination {line}: 24.3 dB, 12 of 54 points " * 3, "black"
        )
    pen.ellipse((400, 300, 560, 460), fill="red")
    return np.asarray(image) / 255


def wheel() -> np.ndarray:
    """Spokes that meet in a disc, but grey and even in their distances."""
    image = Image.new("L", (700, 700), 120)
    pen = ImageDraw.Draw(image)
    pen.ellipse((300, 300, 400, 400), fill=230)
    return np.asarray(image)[:, :, np.newaxis] / 255


def portrait() -> np.ndarray:
    with Image.open(Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg") as image:
        return np.asarray(image) / 255


def grey_portrait() -> np.ndarray:
    return portrait()[:, :, 1:2]


@pytest.mark.parametrize(
    "picture", [noise, colour_noise, clouds, screen, wheel, portrait, grey_portrait]
)
def test_other_pictures_are_not_assessable(picture: object) -> None:
    assert callable(picture)

    prepared = prepare_fundus(make_scan(picture()))

    assert not prepared.quality.assessable
    assert prepared.quality.reasons


@pytest.mark.parametrize("scan", ["spectralis_circle_od", "spectralis_line_macula_od"])
def test_real_b_scans_are_not_assessable(shared_data: Path, scan: str) -> None:
    dataset = pydicom.dcmread(shared_data / "oct" / scan / "bscan_opt.dcm")

    prepared = prepare_fundus(make_scan(stretched(dataset.pixel_array.squeeze())))

    assert not prepared.quality.assessable


def test_real_macular_picture_without_the_disc_is_not_assessable(shared_data: Path) -> None:
    path = shared_data / "oct" / "spectralis_line_macula_od" / "localizer_op.dcm"

    prepared = prepare_fundus(make_scan(stretched(pydicom.dcmread(path).pixel_array)))

    assert not prepared.quality.assessable


@pytest.mark.parametrize(
    "name", ["CT_small", "MR_small_RLE", "JPEG2000", "examples_jpeg2k", "examples_ybr_color"]
)
def test_pictures_of_other_modalities_are_not_assessable(shared_data: Path, name: str) -> None:
    pixels = pydicom.dcmread(shared_data / "robustness" / "pydicom" / f"{name}.dcm").pixel_array
    first = pixels[0] if pixels.ndim == 4 else pixels

    prepared = prepare_fundus(make_scan(stretched(first)))

    assert not prepared.quality.assessable
