from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from openjpeg.utils import encode_array
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import UID, JPEG2000Lossless, JPEGBaseline8Bit, RLELossless

from core.errors import ScanRefused
from core.values.reason import ReasonCode
from dicom_node.devices.attributes import silenced_reader
from dicom_node.devices.fundus_pixels import read_photograph_pixels
from tests.builders.photograph import RETINA_RGB, as_form, build_photograph, even_picture

#: Red, green and blue blocks side by side, so that swapped channels show.
STRIPES = np.repeat(np.eye(3, dtype=np.uint8)[np.newaxis] * 200 + 20, 64, axis=0).repeat(32, axis=1)


def read(dataset: Dataset) -> np.ndarray:
    with silenced_reader():
        return read_photograph_pixels(dataset)


def code_of(dataset: Dataset) -> ReasonCode:
    with pytest.raises(ScanRefused) as refusal:
        read(dataset)
    return refusal.value.reason.code


def compressed(dataset: Dataset, stream: bytes, syntax: UID, form: str) -> Dataset:
    dataset.PhotometricInterpretation = form
    dataset.PixelData = encapsulate([stream])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.Rows, dataset.Columns = STRIPES.shape[:2]
    return dataset


def jpeg(subsampling: int, keep_rgb: bool = False) -> bytes:
    file = BytesIO()
    Image.fromarray(STRIPES).save(
        file, "JPEG", quality=95, subsampling=subsampling, keep_rgb=keep_rgb
    )
    return file.getvalue()


def test_jpeg_of_the_samples_keeps_its_colour() -> None:
    pixels = read(build_photograph())

    assert (pixels.dtype, pixels.shape) == (np.float32, (64, 96, 3))
    assert np.abs(pixels * 255 - RETINA_RGB).max() < 3


@pytest.mark.parametrize("form", ["YBR_FULL", "YBR_FULL_422", "RGB"])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_jpeg_gives_red_green_and_blue_whatever_its_header_says(
    form: str, subsampling: int
) -> None:
    """Encoders disagree on which form the header names; the stream says what it is."""
    photograph = compressed(build_photograph(), jpeg(subsampling), JPEGBaseline8Bit, form)

    middles = read(photograph)[32, 16::32] * 255

    assert np.abs(middles - STRIPES[32, 16::32]).max() < 6


def test_jpeg_of_untransformed_colours_keeps_them() -> None:
    stream = jpeg(0, keep_rgb=True)

    pixels = read(compressed(build_photograph(), stream, JPEGBaseline8Bit, "RGB"))

    assert np.abs(pixels * 255 - STRIPES).max() < 40
    assert np.abs(pixels[32, 16::32] * 255 - STRIPES[32, 16::32]).max() < 6


@pytest.mark.parametrize("form", ["YBR_RCT", "RGB"])
def test_jpeg_2000_gives_red_green_and_blue(form: str) -> None:
    stream = encode_array(STRIPES, bits_stored=8, photometric_interpretation=1, use_mct=True)

    pixels = read(compressed(build_photograph(), stream, JPEG2000Lossless, form))

    assert np.array_equal(np.round(pixels * 255), STRIPES)


def test_rle_gives_red_green_and_blue() -> None:
    photograph = as_form(build_photograph(), STRIPES, "RGB")
    photograph.compress(RLELossless, generate_instance_uid=False)

    assert np.array_equal(np.round(read(photograph) * 255), STRIPES)


def test_uncompressed_colour_by_pixel_and_by_plane_are_the_same() -> None:
    by_pixel = as_form(build_photograph(), STRIPES, "RGB")
    by_plane = as_form(build_photograph(), STRIPES, "RGB")
    by_plane.PlanarConfiguration = 1
    by_plane.PixelData = STRIPES.transpose(2, 0, 1).tobytes()

    assert np.array_equal(np.round(read(by_pixel) * 255), STRIPES)
    assert np.array_equal(read(by_pixel), read(by_plane))


def test_uncompressed_luminance_and_colour_difference_become_colours() -> None:
    stored = convert_color_space(STRIPES, "RGB", "YBR_FULL")

    pixels = read(as_form(build_photograph(), stored, "YBR_FULL"))

    assert np.abs(pixels * 255 - STRIPES).max() < 3


@pytest.mark.parametrize("name", ["SC_rgb_jpeg_dcmtk.dcm", "SC_ybr_full_422_uncompressed.dcm"])
def test_public_files_of_other_writers_keep_their_colours(shared_data: Path, name: str) -> None:
    """Both begin with red, then pink, then green."""
    pixels = read(dcmread(shared_data / "robustness" / "pydicom" / name))

    assert np.abs(pixels[2, 2] - [1, 0, 0]).max() < 0.02


@pytest.mark.parametrize(
    ("form", "expected"), [("MONOCHROME2", 51 / 255), ("MONOCHROME1", 204 / 255)]
)
def test_grey_has_one_value_a_pixel_and_bright_is_one(form: str, expected: float) -> None:
    stored = np.full((20, 30), 51, np.uint8)

    pixels = read(as_form(build_photograph(), stored, form))

    assert pixels.shape == (20, 30, 1)
    assert pixels == pytest.approx(expected, abs=1e-6)


def test_sixteen_bit_is_scaled_by_the_stored_bits() -> None:
    photograph = as_form(build_photograph(), np.full((20, 30), 1023, np.uint16), "MONOCHROME2")
    photograph.BitsStored, photograph.HighBit = 12, 11

    assert read(photograph) == pytest.approx(1023 / 4095, abs=1e-6)


def test_photograph_without_number_of_frames_is_one_frame() -> None:
    photograph = as_form(build_photograph(), STRIPES, "RGB")
    del photograph.NumberOfFrames

    assert read(photograph).shape == STRIPES.shape


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"PixelData": None}, ReasonCode.PIXELS_UNREADABLE),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, ReasonCode.PIXELS_UNREADABLE),
        ({"PhotometricInterpretation": "HSV"}, ReasonCode.PIXELS_UNREADABLE),
        ({"PhotometricInterpretation": None}, ReasonCode.PIXELS_UNREADABLE),
        ({"SamplesPerPixel": 1}, ReasonCode.PIXELS_UNREADABLE),
        ({"BitsAllocated": 32}, ReasonCode.PIXELS_UNREADABLE),
        ({"PixelRepresentation": 1}, ReasonCode.PIXELS_UNREADABLE),
        ({"Rows": 0}, ReasonCode.PIXELS_UNREADABLE),
        ({"Rows": None}, ReasonCode.PIXELS_UNREADABLE),
        ({"Rows": 10000, "Columns": 10000}, ReasonCode.TOO_LARGE),
        ({"Rows": 65535, "Columns": 65535}, ReasonCode.TOO_LARGE),
        ({"Rows": 4000, "Columns": 4000}, ReasonCode.PIXELS_UNREADABLE),
        ({"NumberOfFrames": 2}, ReasonCode.SCAN_PATTERN_UNSUPPORTED),
    ],
)
def test_picture_that_cannot_be_read_is_refused_before_it_is_decoded(
    change: dict, code: ReasonCode
) -> None:
    assert code_of(build_photograph(**change)) is code


def test_uncompressed_bomb_costs_no_memory() -> None:
    """The header states 4000 x 4000 pixels and the object holds a few."""
    photograph = as_form(build_photograph(), STRIPES, "RGB")
    photograph.Rows = photograph.Columns = 4000

    assert code_of(photograph) is ReasonCode.PIXELS_TRUNCATED


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_jpeg_cut_short_is_refused(share: float) -> None:
    stream = jpeg(1)[: int(share * len(jpeg(1)))]

    photograph = compressed(build_photograph(), stream, JPEGBaseline8Bit, "YBR_FULL_422")

    assert code_of(photograph) is ReasonCode.PIXELS_TRUNCATED


def test_noise_in_place_of_a_picture_is_refused() -> None:
    noise = np.random.default_rng(1).bytes(5000)

    photograph = compressed(build_photograph(), noise, JPEGBaseline8Bit, "YBR_FULL_422")

    assert code_of(photograph) is ReasonCode.PIXELS_UNREADABLE


def test_even_picture_is_of_the_size_asked_for() -> None:
    assert read(build_photograph(pixels=even_picture(40, 50))).shape == (40, 50, 3)
