"""Ophthalmic Thickness Maps for tests, whose thickness tells where each pixel lies.

    build_thickness_map()                             a right eye, 6 mm each way
    build_thickness_map(laterality=Laterality.LEFT)
    build_thickness_map(orientation=("R", "H"))       the same eye, the map turned
    build_thickness_map(spacing_mm=None)              any field of ThicknessMap
    build_thickness_map(Rows=3)                       any DICOM keyword; None leaves it out

The thickness is 100 µm, 10 more for each millimetre towards the temple and 20 more for each
millimetre upwards; a corner has none.
"""

from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from core.values.laterality import Laterality
from sample_dicom.localizer_op import localizer_uid
from sample_dicom.thickness_opm import ThicknessMap, thickness_map_image
from tests.builders.opt import build_study

ROWS: Final = 60
COLUMNS: Final = 80
SIDE_MM: Final = 6.0


def expected_um(temporal_mm: NDArray[np.float64], superior_mm: NDArray[np.float64]) -> Any:
    """Return the thickness at places about the middle of the map."""
    return 100.0 + 10.0 * temporal_mm + 20.0 * superior_mm


def build_thickness_map(
    *,
    laterality: Laterality = Laterality.RIGHT,
    orientation: tuple[str, str] = ("L", "F"),
    age_years: float | None = 60.0,
    key: str = "test",
    **overrides: Any,
) -> Dataset:
    """Return a map over the middle of the localizer of the same key and eye."""
    study = build_study(key, age_years)
    columns, rows = (((np.arange(n) + 0.5) / n - 0.5) * SIDE_MM for n in (COLUMNS, ROWS))
    left = columns * (1 if orientation[0] == "L" else -1)
    superior = rows[:, None] * (-1 if orientation[1] == "F" else 1)
    temporal = left * (-1 if laterality is Laterality.RIGHT else 1)
    thickness_um = expected_um(temporal, superior)
    thickness_um[:5, :5] = np.nan
    scan = ThicknessMap(
        laterality,
        thickness_um,
        (SIDE_MM / ROWS, SIDE_MM / COLUMNS),
        localizer_uid(study, laterality),
        orientation,
    )
    fields = {name: value for name, value in overrides.items() if name[0].islower()}
    dataset = thickness_map_image(study, replace(scan, **fields))
    for keyword in overrides.keys() - fields.keys():
        setattr(dataset, keyword, overrides[keyword])
        if overrides[keyword] is None:
            delattr(dataset, keyword)
    return dataset
