"""Simulated volumes and thickness maps of the disc, as a device would write them."""

import numpy as np
from numpy.typing import NDArray

from core.values.laterality import Laterality
from inference.simulation.localizers import circle_on_localizer
from inference.simulation.thickness_maps import MapOptions, simulate_thickness_map
from inference.simulation.volumes import SimulatedVolume, VolumeOptions, simulate_volume
from sample_dicom.localizer_op import SPACING_MM, localizer_uid
from sample_dicom.oct_frames import CUBE_PATTERN, OctFrame, OctFrames
from sample_dicom.study import Study
from sample_dicom.thickness_opm import ThicknessMap


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
        OctFrame(pixels, _on_localizer(volume, laterality, place))
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
    volume: SimulatedVolume, laterality: Laterality, place: int
) -> NDArray[np.float64]:
    """Return row and column on the localizer of both ends of a B-scan, shape (2, 2).

    The volume lies so that its disc is that of the localizer.
    """
    geometry, columns = volume.geometry, volume.pixels.shape[2]
    origin, column_step, row_step = (
        np.array(vector)
        for vector in (geometry.origin_mm, geometry.column_step_mm, geometry.row_step_mm)
    )
    # The outer edges of the first and the last A-scan.
    ends_mm = origin + place * row_step + np.array([[-0.5], [columns - 0.5]]) * column_step
    from_disc_mm = ends_mm - np.array(volume.disc.centre_mm)
    # The temple is on the left of the picture of a right eye, on the right of a left eye.
    right_mm = from_disc_mm[:, 0] * (-1 if laterality is Laterality.RIGHT else 1)
    disc = circle_on_localizer(laterality)
    shift_px = np.column_stack((-from_disc_mm[:, 1], right_mm)) / SPACING_MM
    return np.array((disc.centre_row, disc.centre_column)) + shift_px
