"""Simulated volumes and thickness maps of the disc, as a device would write them."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.values.laterality import Laterality
from core.values.scan import GridGeometry
from inference.simulation.thickness_maps import MapOptions, simulate_thickness_map
from inference.simulation.volumes import VolumeOptions, simulate_volume
from sample_dicom.localizer_op import SPACING_MM, localizer_uid
from sample_dicom.oct_frames import CUBE_PATTERN, OctFrame, OctFrames
from sample_dicom.study import Study
from sample_dicom.thickness_opm import ThicknessMap

#: The origin of the grid, in the middle of a localizer of 768 × 768 pixels.
_MIDDLE_PIXEL: Final = 384.0


def scan_volume(
    study: Study,
    laterality: Laterality,
    thickness_um: NDArray[np.floating],
    rng: np.random.Generator,
    options: VolumeOptions | None = None,
) -> OctFrames:
    """Return a volume over the disc of an eye with that nerve fibre profile, shape (768,), µm."""
    options = options or VolumeOptions()
    volume = simulate_volume(thickness_um, laterality, rng, options)
    frames = [
        OctFrame(pixels, _on_localizer(volume.geometry, laterality, place, pixels.shape[1]))
        for place, pixels in enumerate(volume.pixels)
    ]
    return OctFrames(
        laterality=laterality,
        frames=frames,
        localizer_uid=localizer_uid(study, laterality),
        spacing_mm=(options.grid.axial_um / 1000, float(np.hypot(*volume.geometry.column_step_mm))),
        distance_mm=float(np.hypot(*volume.geometry.row_step_mm)),
        pattern=CUBE_PATTERN,
    )


def scan_thickness_map(
    study: Study,
    laterality: Laterality,
    thickness_um: NDArray[np.floating],
    rng: np.random.Generator,
    options: MapOptions | None = None,
) -> ThicknessMap:
    """Return a map over the disc of an eye with that nerve fibre profile, shape (768,), µm."""
    simulated = simulate_thickness_map(thickness_um, laterality, rng, options)
    geometry = simulated.geometry
    return ThicknessMap(
        laterality=laterality,
        thickness_um=simulated.thickness_map_um,
        spacing_mm=(
            float(np.hypot(*geometry.row_step_mm)),
            float(np.hypot(*geometry.column_step_mm)),
        ),
        localizer_uid=localizer_uid(study, laterality),
        orientation=("L", "F" if geometry.row_step_mm[1] < 0 else "H"),
    )


def _on_localizer(
    geometry: GridGeometry, laterality: Laterality, place: int, columns: int
) -> NDArray[np.float64]:
    """Return row and column on the localizer of both ends of a B-scan, shape (2, 2)."""
    origin, column_step, row_step = (
        np.array(vector)
        for vector in (geometry.origin_mm, geometry.column_step_mm, geometry.row_step_mm)
    )
    # The outer edges of the first and the last A-scan.
    ends_mm = origin + place * row_step + np.array([[-0.5], [columns - 0.5]]) * column_step
    # The temple is on the left of the picture of a right eye, on the right of a left eye.
    right_mm = ends_mm[:, 0] * (-1 if laterality is Laterality.RIGHT else 1)
    return _MIDDLE_PIXEL + np.column_stack((-ends_mm[:, 1], right_mm)) / SPACING_MM
