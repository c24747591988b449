"""What could be read from an instance, up to a model's input or to the reason why not."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from core.errors import ScanRefused
from core.values.fundus import PreparedFundus
from core.values.laterality import Laterality
from core.values.profile import Profile, Quality
from core.values.reason import Reason, ReasonCode
from core.values.scan import Device, Scan, ScanKind
from dicom_node.devices.description import describe
from dicom_node.devices.fundus_localizer import of_an_oct_scan
from dicom_node.devices.input_class import is_photograph
from dicom_node.devices.reading import read_scan
from inference.model_card import ModelKind
from inference.preparation.fundus import prepare_fundus
from inference.preparation.prepare import prepare
from inference.stored_scan import StoredScan

#: Youngest and oldest age of each kind of model that scores; a kind that is not there scores none.
AgeLimits = Mapping[ModelKind, tuple[float, float]]

_NO_PIXELS: Final = np.zeros((0, 0), np.float32)
_AGE_MISSING: Final = Reason(
    ReasonCode.AGE_MISSING,
    "The patient's age at the scan is not known, and the model needs it: send the birth date or "
    "the Patient's Age with the scan.",
)
_NO_MODEL: Final = {
    ModelKind.PROFILE: Reason(
        ReasonCode.NOT_MODEL_INPUT,
        "No model for OCT scans is active, so nothing was estimated from this one. `arcuate models "
        "activate retinervenet` activates the one that is shipped.",
    ),
    ModelKind.FUNDUS: Reason(
        ReasonCode.NOT_MODEL_INPUT,
        "No model for photographs of the fundus is active, so nothing was estimated from this one. "
        "`arcuate models activate fundus_field` activates the one that is shipped.",
    ),
}


@dataclass(frozen=True)
class Examination:
    """One instance as far as it could be read.

    Attributes
    ----------
    scan, profile, fundus
        None where reading or measuring stopped before. An OCT scan gives a profile, a photograph
        what is prepared of its fundus.
    reasons
        Why it must not be scored; empty when it may.
    kind
        Which kind of model it is for.
    """

    device: Device
    laterality: Laterality | None
    acquired_at: datetime | None
    age_years: float | None
    scan: Scan | None = None
    profile: Profile | None = None
    reasons: tuple[Reason, ...] = ()
    fundus: PreparedFundus | None = None
    kind: ModelKind = ModelKind.PROFILE

    @property
    def input(self) -> tuple[NDArray[np.float32], float] | None:
        """What the model reads and the age in years; None when no field may be estimated.

        Thickness in µm, shape (768,), or the ring of a photograph, shape (128, 24, 4).
        """
        if self.reasons or self.age_years is None:
            return None
        if self.fundus is not None:
            return self.fundus.ring, self.age_years
        return None if self.profile is None else (self.profile.thickness_um, self.age_years)

    @property
    def quality(self) -> Quality | None:
        """Whether the scan is good enough; None where it was not judged."""
        measured = self.fundus or self.profile
        return None if measured is None else measured.quality

    @property
    def picture(self) -> NDArray[np.float32] | None:
        """What people see of the scan, 0 to 1, shape (rows, columns) or (rows, columns, 3)."""
        measured = self.fundus or self.profile
        if measured is not None and measured.picture is not None:
            return measured.picture
        is_circle = self.scan is not None and self.scan.kind is ScanKind.CIRCLE
        return self.scan.pixels if self.scan is not None and is_circle else None

    def without_pixels(self) -> Self:
        """Return it without the pictures, which are large; measures and reasons stay."""
        scan, profile, fundus = self.scan, self.profile, self.fundus
        return replace(
            self,
            scan=None if scan is None else replace(scan, pixels=_NO_PIXELS),
            profile=None if profile is None else replace(profile, picture=None),
            fundus=None if fundus is None else replace(fundus, picture=_NO_PIXELS),
        )

    @property
    def scan_kind(self) -> ScanKind | None:
        """What the device recorded, None where that could not be read."""
        if self.scan is not None:
            return self.scan.kind
        return ScanKind.FUNDUS if self.kind is ModelKind.FUNDUS else None

    @property
    def notes(self) -> tuple[str, ...]:
        """Warnings for people, without patient data."""
        of_scan = () if self.scan is None else self.scan.notes
        return of_scan if self.fundus is None else (*of_scan, *self.fundus.notes)


def examine(stored: StoredScan, age_limits_years: AgeLimits) -> Examination:
    """Read and measure an instance.

    Parameters
    ----------
    age_limits_years
        Of the models that score, by their kind.
    """
    known = describe(stored.dataset, stored.localizer)
    kind = kind_of(known.sop_class_uid)
    examination = Examination(
        known.device, known.laterality, known.acquired_at, known.age_years, kind=kind
    )
    if kind not in age_limits_years:
        return replace(examination, reasons=(_NO_MODEL[kind],))
    try:
        if stored.is_of_oct_scan:
            raise of_an_oct_scan("An OCT scan of this study refers to this picture or its device")
        scan = read_scan(stored.dataset, stored.localizer)
        examination = replace(examination, laterality=scan.laterality, scan=scan)
        examination = _measured(examination, scan)
    except ScanRefused as refusal:
        return _refused(examination, refusal.reason)
    found = () if examination.quality is None else examination.quality.reasons
    reasons = (*found, *_age_reasons(known.age_years, age_limits_years[kind]))
    return replace(examination, reasons=reasons)


def kind_of(sop_class_uid: str) -> ModelKind:
    """Return the kind of model that objects of a class are for."""
    return ModelKind.FUNDUS if is_photograph(sop_class_uid) else ModelKind.PROFILE


def unread(device: Device, kind: ModelKind) -> Examination:
    """Return the examination of an instance that is left unread, no model of its kind scoring."""
    return Examination(device, None, None, None, reasons=(_NO_MODEL[kind],), kind=kind)


def _measured(examination: Examination, scan: Scan) -> Examination:
    if scan.kind is ScanKind.FUNDUS:
        return replace(examination, fundus=prepare_fundus(scan))
    return replace(examination, profile=prepare(scan))


def _refused(examination: Examination, reason: Reason) -> Examination:
    # A refused scan must not be shown under an eye that is in doubt.
    in_doubt = reason.code is ReasonCode.LATERALITY_CONFLICT
    laterality = None if in_doubt else examination.laterality
    return replace(examination, laterality=laterality, reasons=(reason,))


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
