"""Synthetic circle B-scans in a folder, each with its picture and the truth about it."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.values.laterality import Laterality
from inference.simulation.b_scans import FRAME, simulate_b_scan


def write_b_scans(
    folder: Path,
    eye_ids: NDArray[np.str_],
    lateralities: NDArray[np.str_],
    thickness_um: NDArray[np.float32],
    rng: np.random.Generator,
) -> None:
    """Write a B-scan of each eye into a folder, which is made where it is not there.

    `<eye>.png` is the picture; `<eye>.npz` holds the same `pixels`, the true `ilm_row` and
    `rnfl_row` of each column, the `angles_degree` (TSNIT) of the columns, the `thickness_um` of the
    profile it shows and the spacing of rows `axial_um`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for eye_id, side, profile_um in zip(eye_ids, lateralities, thickness_um, strict=True):
        shown = simulate_b_scan(profile_um, Laterality(str(side)), rng)
        picture = folder / f"{eye_id}.png"
        Image.fromarray(shown.pixels).save(picture)
        np.savez(
            picture.with_suffix(".npz"),
            pixels=shown.pixels,
            ilm_row=shown.layers.ilm_row,
            rnfl_row=shown.layers.rnfl_row,
            angles_degree=shown.angles_degree,
            thickness_um=profile_um,
            axial_um=np.float32(FRAME.axial_um),
        )
