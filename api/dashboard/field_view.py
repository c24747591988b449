"""The estimated field as a page draws it: cells in degrees, as the patient sees them."""

from dataclasses import dataclass
from io import BytesIO
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.perimetry.pattern import (
    BLIND_SPOT_X_DEGREE,
    BLIND_SPOT_Y_DEGREE,
    LOCATIONS,
    SPACING_DEGREE,
    Y_DEGREE,
    mirror_sign,
    x_as_patient_sees,
)
from core.values.laterality import Laterality
from core.values.prediction import FieldDeviations, FieldEstimate, Prediction
from reports.grey_scale import HALF_SIDE_DEGREE, grey_scale

#: Upper end of each shade of total deviation in dB, the deepest first. Steps of dB, no probability.
_DEVIATION_STEPS_DB: Final = (-20.0, -10.0, -5.0, -2.0)


@dataclass(frozen=True)
class Cell:
    """One point as drawn: its centre in SVG units (degree, y down), and what stands there, in dB.

    `lower` and `upper` are the limits of the 90 % interval; a shade is the step of a deviation, 0
    deepest to 4 none.
    """

    location: int
    x: float
    y: float
    x_degree: float
    y_degree: float
    sensitivity: str
    lower: str
    upper: str
    total_deviation: str
    shade: int
    pattern_deviation: str
    pattern_shade: int


@dataclass(frozen=True)
class FieldView:
    """A whole field as drawn.

    `half` is half the side of a cell, `edge` that of the map; `interval` is the mean half width
    of the 90 % intervals, as written.
    """

    cells: tuple[Cell, ...]
    blind_spot: tuple[tuple[float, float], ...]
    half: float
    edge: float
    interval: str


def field_view(prediction: Prediction) -> FieldView | None:
    """Return the field as drawn, None where there is no estimate of a known eye."""
    estimate, deviations, eye = prediction.estimate, prediction.deviations, prediction.laterality
    if estimate is None or deviations is None or eye is None:
        return None
    sign = mirror_sign(eye)
    blind_spot = zip(BLIND_SPOT_X_DEGREE, BLIND_SPOT_Y_DEGREE, strict=True)
    return FieldView(
        cells=_cells(estimate, deviations, eye),
        blind_spot=tuple((sign * x, -y) for x, y in blind_spot),
        half=SPACING_DEGREE / 2,
        edge=HALF_SIDE_DEGREE,
        interval=f"±{float(np.mean(estimate.upper_db - estimate.lower_db)) / 2:.1f} dB",
    )


def grey_scale_png(estimate: FieldEstimate, laterality: Laterality) -> bytes:
    """Return the grey scale map as PNG, as the patient sees it, clear outside the pattern."""
    grey = grey_scale(estimate, laterality)
    inside = np.isfinite(grey)
    levels = np.where(inside, grey, 0.0) * 255
    pixels = np.stack([levels, np.where(inside, 255, 0)], axis=-1).round().astype(np.uint8)
    picture = BytesIO()
    Image.fromarray(pixels).save(picture, "PNG")
    return picture.getvalue()


def _cells(
    estimate: FieldEstimate, deviations: FieldDeviations, eye: Laterality
) -> tuple[Cell, ...]:
    columns = zip(
        LOCATIONS,
        x_as_patient_sees(eye),
        Y_DEGREE,
        _whole(estimate.sensitivities_db),
        _whole(estimate.lower_db),
        _whole(estimate.upper_db),
        deviations.total_deviation_db,
        deviations.pattern_deviation_db,
        strict=True,
    )
    return tuple(
        Cell(
            location=int(location),
            x=float(x),
            y=-float(y),
            x_degree=float(x),
            y_degree=float(y),
            sensitivity=sensitivity,
            lower=lower,
            upper=upper,
            total_deviation=whole(total),
            shade=_shade(total),
            pattern_deviation=whole(pattern),
            pattern_shade=_shade(pattern),
        )
        for location, x, y, sensitivity, lower, upper, total, pattern in columns
    )


def _whole(values_db: NDArray[np.float32]) -> list[str]:
    return [whole(value) for value in values_db]


def whole(value: float) -> str:
    """Return a number without its decimals, `–` where it is missing."""
    # Adding 0 turns -0 into 0.
    return f"{round(float(value)) + 0}".replace("-", "−") if np.isfinite(value) else "–"


def signed_whole(value: float) -> str:
    """Return a difference without its decimals, with its sign; `–` where it is missing."""
    return whole(value) if value < 0.5 or not np.isfinite(value) else f"+{whole(value)}"


def _shade(deviation_db: float) -> int:
    if not np.isfinite(deviation_db):
        return len(_DEVIATION_STEPS_DB)
    # Of the number as written, so that the same number looks the same here and in reports.
    return sum(round(float(deviation_db)) > step for step in _DEVIATION_STEPS_DB)
