"""A result beside an earlier one of the same eye as a page draws it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from api.dashboard.field_view import signed_whole
from core.earlier_results import EarlierResult
from core.perimetry.pattern import LOCATIONS, Y_DEGREE, x_as_patient_sees
from core.values.laterality import Laterality
from core.values.prediction import Prediction
from core.values.profile import sector_means
from core.values.scan import Device, ScanKind

#: Upper end of each shade of a loss in dB, the deepest first, and lower end of each of a gain.
_LOSS_STEPS_DB: Final = (-10.0, -5.0, -2.0)
_GAIN_STEPS_DB: Final = (2.0, 5.0, 10.0)


@dataclass(frozen=True)
class DifferenceCell:
    """One point as drawn: its place in SVG units (degree, y down), and this less the earlier, dB.

    `shade` is `loss0` (deepest) to `loss2`, `same`, or `gain0` to `gain2` (highest).
    """

    location: int
    x: float
    y: float
    difference: str
    shade: str


@dataclass(frozen=True)
class CompareView:
    """A result less an earlier one of the same eye.

    Attributes
    ----------
    earlier
        What it is laid beside.
    apart_days
        From the earlier scan to this one.
    is_other_device, is_other_model, is_other_kind
        What differs between the two beside the eye: a difference may come from that alone.
    mean_deviation_db
        This less the earlier; None where an age is unknown.
    mean_um
        Of the nerve fibre layer, this less the earlier, as written; empty where one has none.
    sectors_um
        The same of each disc sector.
    thickness_um
        Profile of the earlier one, 768 samples.
    """

    earlier: EarlierResult
    apart_days: int
    is_other_device: bool
    is_other_model: bool
    is_other_kind: bool
    cells: tuple[DifferenceCell, ...]
    mean_deviation_db: float | None
    mean_um: str
    sectors_um: dict[str, str]
    thickness_um: NDArray[np.float32] | None

    @property
    def is_mixed(self) -> bool:
        """Whether device, model or kind of scan differ."""
        return self.is_other_device or self.is_other_model or self.is_other_kind


def like_first(prediction: Prediction, earlier: Sequence[EarlierResult]) -> EarlierResult | None:
    """Return the newest earlier result of the same device and model, None where there is none."""
    alike = (found for found in earlier if not any(_differing(prediction, found)))
    return next(alike, None)


def compare_view(
    prediction: Prediction, earlier: EarlierResult | None, before: Prediction | None
) -> CompareView | None:
    """Return a result beside an earlier one as drawn, None where one of them has no estimate.

    Parameters
    ----------
    before
        The prediction that `earlier` tells of.
    """
    eye, now = prediction.laterality, prediction.estimate
    then = None if before is None else before.estimate
    if earlier is None or before is None or now is None or then is None or eye is None:
        return None
    if prediction.acquired_at is None:
        return None
    other_device, other_model, other_kind = _differing(prediction, earlier)
    mean_um, sectors_um = _layer_differences(prediction.thickness_um, before.thickness_um)
    return CompareView(
        earlier=earlier,
        apart_days=_days(earlier.acquired_at, prediction.acquired_at),
        is_other_device=other_device,
        is_other_model=other_model,
        is_other_kind=other_kind,
        cells=_cells(now.sensitivities_db - then.sensitivities_db, eye),
        mean_deviation_db=_mean_deviation_difference(prediction, before),
        mean_um=mean_um,
        sectors_um=sectors_um,
        thickness_um=before.thickness_um,
    )


def _differing(prediction: Prediction, earlier: EarlierResult) -> tuple[bool, bool, bool]:
    """Return whether device, model or kind of scan differ."""
    return (
        _make(prediction.device) != _make(earlier.device),
        prediction.model != earlier.model,
        _is_other_kind(prediction.scan_kind, earlier.scan_kind),
    )


def _make(device: Device) -> tuple[str, str, str]:
    return device.manufacturer, device.model, device.serial_number


def _is_other_kind(kind: ScanKind | None, other: ScanKind | None) -> bool:
    return kind is not other


def _days(earlier: datetime, later: datetime) -> int:
    return (later.astimezone().date() - earlier.astimezone().date()).days


def _cells(differences_db: NDArray[np.float32], eye: Laterality) -> tuple[DifferenceCell, ...]:
    columns = zip(LOCATIONS, x_as_patient_sees(eye), Y_DEGREE, differences_db, strict=True)
    return tuple(
        DifferenceCell(int(location), float(x), -float(y), signed_whole(d), difference_shade(d))
        for location, x, y, d in columns
    )


def difference_shade(difference_db: float) -> str:
    """Return the shade of a difference, of the number as it is written."""
    if not np.isfinite(difference_db):
        return "same"
    written = round(float(difference_db))
    losses = sum(written <= step for step in _LOSS_STEPS_DB)
    gains = sum(written >= step for step in _GAIN_STEPS_DB)
    if losses:
        return f"loss{len(_LOSS_STEPS_DB) - losses}"
    return f"gain{gains - 1}" if gains else "same"


def _mean_deviation_difference(now: Prediction, then: Prediction) -> float | None:
    if now.deviations is None or then.deviations is None:
        return None
    return now.deviations.mean_deviation_db - then.deviations.mean_deviation_db


def _layer_differences(
    now_um: NDArray[np.float32] | None, then_um: NDArray[np.float32] | None
) -> tuple[str, dict[str, str]]:
    if now_um is None or then_um is None:
        return "", {}
    now, then = sector_means(now_um), sector_means(then_um)
    return (
        signed_whole(float(np.mean(now_um) - np.mean(then_um))),
        {name: signed_whole(now[name] - then[name]) for name in now},
    )
