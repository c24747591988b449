import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.uid import (
    UID,
    JPEG2000Lossless,
)

from dicom_node.devices.pixels import describe_pixels, read_frame
from dicom_node.devices.reading import read_scan
from sample_dicom.eye import Recording
from tests.builders.opt import build_circle_opt, build_localizer


def scan_of(bits: int = 8, transfer_syntax_uid: UID | None = None) -> Dataset:
    if transfer_syntax_uid is None:
        return build_circle_opt(recording=Recording(bits=bits))
    return build_circle_opt(recording=Recording(transfer_syntax_uid=transfer_syntax_uid, bits=bits))


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(
    "command",
    [
        ("dcmconv", "+te"),
        ("dcmconv", "+ti"),
        ("dcmconv", "+tb"),
        ("dcmconv", "+td"),
        ("dcmcrle",),
        ("dcmcjpeg", "+e1"),
        ("dcmcjpeg", "+el"),
        ("dcmcjpls", "+el"),
    ],
    ids=" ".join,
)
def test_pixels_of_every_lossless_transfer_syntax_are_the_original(
    command: tuple[str, ...], bits: int, tmp_path: Path, need: Callable[[str], None]
) -> None:
    need(command[0])
    original = scan_of(bits)
    original.save_as(tmp_path / "original.dcm", enforce_file_format=True)
    written = tmp_path / "written.dcm"
    subprocess.run([*command, tmp_path / "original.dcm", written], check=True)

    found = read_scan(dcmread(written), build_localizer())

    np.testing.assert_array_equal(found.pixels, original.pixel_array / np.float32(2**bits - 1))


@pytest.mark.parametrize("bits", [8, 16])
def test_pixels_of_jpeg_2000_are_the_original(bits: int) -> None:
    original = scan_of(bits).pixel_array

    found = read_scan(scan_of(bits, JPEG2000Lossless), build_localizer())

    np.testing.assert_array_equal(found.pixels, original / np.float32(2**bits - 1))


@pytest.mark.parametrize(
    "command",
    [("dcmcjpeg", "+eb"), ("dcmcjpeg", "+ee"), ("dcmcjpls", "+en")],
    ids=["baseline", "extended", "near-lossless"],
)
def test_pixels_of_lossy_transfer_syntaxes_are_near_the_original(
    command: tuple[str, ...], tmp_path: Path, need: Callable[[str], None]
) -> None:
    need(command[0])
    original = scan_of()
    original.save_as(tmp_path / "original.dcm", enforce_file_format=True)
    written = tmp_path / "written.dcm"
    subprocess.run([*command, tmp_path / "original.dcm", written], check=True)

    dataset = dcmread(written)

    found = read_frame(dataset, describe_pixels(dataset, scrambles=False), 0, scrambles=False)

    difference = np.abs(found - original.pixel_array / np.float32(255))
    assert float(difference.mean()) < 0.02


def test_pixels_of_monochrome1_are_inverted() -> None:
    dataset = scan_of()
    usual = read_scan(dataset, build_localizer()).pixels
    dataset = build_circle_opt(PhotometricInterpretation="MONOCHROME1")

    inverted = read_scan(dataset, build_localizer()).pixels

    np.testing.assert_allclose(inverted, 1 - usual, atol=1e-6)


def test_pixels_are_scaled_by_the_stored_bits() -> None:
    dataset = scan_of(16)
    stored = (dataset.pixel_array >> 4).astype("<u2")
    dataset.PixelData = stored.tobytes()
    dataset.BitsStored, dataset.HighBit = 12, 11

    found = read_frame(dataset, describe_pixels(dataset, scrambles=False), 0, scrambles=False)

    np.testing.assert_allclose(found, stored / np.float32(4095), atol=1e-6)


def test_pixels_of_signed_values_start_at_black() -> None:
    dataset = scan_of(16)
    values = dataset.pixel_array.astype(np.int32) - 32768
    dataset.PixelData = values.astype("<i2").tobytes()
    dataset.PixelRepresentation = 1

    found = read_frame(dataset, describe_pixels(dataset, scrambles=False), 0, scrambles=False)

    np.testing.assert_allclose(found, (values + 32768) / np.float32(65535), atol=1e-6)


def test_pixels_of_one_frame_of_several_are_read() -> None:
    dataset = scan_of()
    dataset.NumberOfFrames = 3
    frame = np.frombuffer(dataset.PixelData, np.uint8)
    dataset.PixelData = np.concatenate((frame // 2, frame, frame // 3)).tobytes()

    found = read_frame(dataset, describe_pixels(dataset, scrambles=False), 1, scrambles=False)

    np.testing.assert_array_equal(found.ravel(), frame / np.float32(255))


def test_pixels_in_several_fragments_are_one_frame() -> None:
    dataset = scan_of(8, JPEG2000Lossless)
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
    dataset.PixelData = encapsulate([frame], fragments_per_frame=4)

    found = read_frame(dataset, describe_pixels(dataset, scrambles=False), 0, scrambles=False)

    np.testing.assert_array_equal(found, scan_of().pixel_array / np.float32(255))
