"""B-scans of a volume, put in the order of their places."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from core.errors import ScanRefused
from core.values.laterality import Laterality
from core.values.reason import ReasonCode
from core.values.scan import GridGeometry
from dicom_node.devices.attributes import numbers_of
from dicom_node.devices.frame_lines import FrameLines, read_frame_lines
from dicom_node.devices.functional_groups import frame_items
from dicom_node.devices.localizer import Localizer
from dicom_node.devices.pixels import PixelDescription, read_frame
from dicom_node.devices.spacing import (
    Spacing,
    check_b_scan_distance,
    check_field,
    check_line,
    read_spacing,
)
from dicom_node.devices.volume_grid import VolumeGrid, fit_grid

#: The most a volume may take, 640 MB as float32: 320 frames of 992 × 320 fit, and so do 512 of
#: 496 × 512 and 350 of 1024 × 350.
LARGEST_VOLUME_PIXELS: Final = 160_000_000


def read_volume_spacing(dataset: Dataset, pixels: PixelDescription) -> Spacing:
    """Return the one spacing of all frames.

    Raises
    ------
    ScanRefused
        `spacing_missing`, `spacing_implausible`, or `scan_pattern_unsupported` if frames differ.
    """
    measures = frame_items(dataset, pixels.frames, "PixelMeasuresSequence")
    stated = {numbers_of(item or Dataset(), "PixelSpacing") for item in measures}
    if len(stated) > 1:
        raise ScanRefused(
            ReasonCode.SCAN_PATTERN_UNSUPPORTED,
            "Pixel Spacing (0028,0030) differs from frame to frame: the frames make no volume. "
            "Send the circle scan or an evenly spaced volume over the optic disc.",
        )
    return read_spacing(dataset, 0, pixels.rows)


def read_volume_grid(
    dataset: Dataset,
    pixels: PixelDescription,
    lateral_mm: float,
    localizer: Localizer,
    laterality: Laterality,
) -> tuple[VolumeGrid, FrameLines]:
    """Return the grid of a volume and the lines it was found from.

    Raises
    ------
    ScanRefused
        `too_large`, `pattern_unknown`, `pattern_conflict`, `scan_pattern_unsupported` or
        `spacing_implausible`.
    """
    _refuse_too_large(pixels)
    lines = read_frame_lines(dataset, pixels.frames, pixels.columns, lateral_mm, localizer)
    grid = fit_grid(lines, pixels.columns, laterality)
    _check_extent(dataset, pixels, lateral_mm, grid.geometry)
    return grid, lines


def read_b_scans(
    dataset: Dataset, pixels: PixelDescription, order: NDArray[np.int64], *, scrambles: bool
) -> NDArray[np.float32]:
    """Return the frames in an order as grey values 0 to 1, float32, (frames, rows, columns).

    Raises
    ------
    ScanRefused
        `pixels_unreadable`, `pixels_truncated` or `vendor_encrypted_pixels`.
    """
    b_scans = np.empty((len(order), pixels.rows, pixels.columns), np.float32)
    for place, frame in enumerate(order):
        b_scans[place] = read_frame(dataset, pixels, int(frame), scrambles=scrambles)
    return b_scans


def _check_extent(
    dataset: Dataset, pixels: PixelDescription, lateral_mm: float, geometry: GridGeometry
) -> None:
    width_mm = pixels.columns * float(np.hypot(*geometry.column_step_mm))
    check_line(width_mm, pixels.columns, lateral_mm)
    distance_mm = float(np.hypot(*geometry.row_step_mm))
    check_b_scan_distance(dataset, distance_mm)
    check_field(width_mm, pixels.frames * distance_mm)


def _refuse_too_large(pixels: PixelDescription) -> None:
    if pixels.frames * pixels.rows * pixels.columns > LARGEST_VOLUME_PIXELS:
        raise ScanRefused(
            ReasonCode.TOO_LARGE,
            f"The volume has {pixels.frames} frames of {pixels.rows} × {pixels.columns} pixels; "
            f"the limit is {LARGEST_VOLUME_PIXELS} pixels. Send a smaller volume over the optic "
            "disc, or the circle scan.",
        )
