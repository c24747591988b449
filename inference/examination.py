"""What could be read from an instance, up to the profile or to the reason why not."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from core.errors import ScanRefused
from core.values.laterality import Laterality
from core.values.profile import Profile
from core.values.reason import Reason, ReasonCode
from core.values.scan import Device, Scan, ScanKind
from dicom_node.devices.description import describe
from dicom_node.devices.reading import read_scan
from inference.model_card import ModelKind
from inference.preparation.prepare import prepare

_AGE_MISSING: Final = Reason(
    ReasonCode.AGE_MISSING,
    "The patient's age at the scan is not known, and the model needs it: send the birth date or "
    "the Patient's Age with the scan.",
)


@dataclass(frozen=True)
class Examination:
    """One instance as far as it could be read.

    Attributes
    ----------
    scan, profile
        None where reading or measuring stopped before.
    reasons
        Why it must not be scored; empty when it may.
    """

    device: Device
    laterality: Laterality | None
    acquired_at: datetime | None
    age_years: float | None
    scan: Scan | None = None
    profile: Profile | None = None
    reasons: tuple[Reason, ...] = ()

    @property
    def kind(self) -> ModelKind | None:
        """Which kind of model it is for; None where reading stopped before that was known."""
        if self.scan is None:
            return None if self.profile is None else ModelKind.PROFILE
        return ModelKind.FUNDUS if self.scan.kind is ScanKind.FUNDUS else ModelKind.PROFILE

    @property
    def input(self) -> tuple[NDArray[np.float32], float] | None:
        """Profile in µm, shape (768,), and age in years; None when no field may be estimated."""
        if self.reasons or self.profile is None or self.age_years is None:
            return None
        return self.profile.thickness_um, self.age_years


def examine(
    dataset: Dataset, localizer: Dataset | None, age_limits_years: tuple[float, float]
) -> Examination:
    """Read and measure an instance.

    Parameters
    ----------
    localizer
        The picture the scan refers to, None where it is not at hand.
    age_limits_years
        Youngest and oldest age the model is meant for.
    """
    known = describe(dataset, localizer)
    examination = Examination(known.device, known.laterality, known.acquired_at, known.age_years)
    try:
        scan = read_scan(dataset, localizer)
        examination = replace(examination, laterality=scan.laterality, scan=scan)
        profile = prepare(scan)
    except ScanRefused as refusal:
        return replace(examination, reasons=(refusal.reason,))
    reasons = (*profile.quality.reasons, *_age_reasons(known.age_years, age_limits_years))
    return replace(examination, profile=profile, reasons=reasons)


def _age_reasons(age_years: float | None, limits_years: tuple[float, float]) -> tuple[Reason, ...]:
    if age_years is None:
        return (_AGE_MISSING,)
    youngest, oldest = limits_years
    if youngest <= age_years <= oldest:
        return ()
    message = (
        f"The model is meant for ages from {youngest:.0f} to {oldest:.0f} years and this patient "
        "was outside them at the scan: the field cannot be estimated."
    )
    return (Reason(ReasonCode.OUTSIDE_INTENDED_USE, message),)
