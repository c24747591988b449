"""UIDs of reports: derived, never drawn, so that a report built again is the same object."""

from typing import Final
from uuid import UUID, uuid5

from pydicom.uid import UID

from core.values.identity import InstanceIdentity, PatientIdentity
from core.values.laterality import Laterality

#: Everything derived hangs below this; changing it would turn every report into another object.
_NAMESPACE: Final = UUID("6d1f6c0e-4f3b-5c55-9c3b-0f1f7c6f2b18")


def derived_uid(*parts: str) -> UID:
    """Return the UUID-derived UID (PS3.5 B.2) that always belongs to these parts."""
    # The length before each part keeps ("a", "bc") and ("ab", "c") apart.
    name = "".join(f"{len(part)}:{part}" for part in parts)
    return UID(f"2.25.{uuid5(_NAMESPACE, name).int}")


def series_instance_uid(prediction_id: str, kind: str) -> UID:
    """Return the UID of the series that holds this report and nothing else."""
    return derived_uid("series", kind, prediction_id)


def sop_instance_uid(prediction_id: str, kind: str) -> UID:
    """Return the UID of this report."""
    return derived_uid("instance", kind, prediction_id)


def tracking_uid(
    patient: PatientIdentity,
    source: InstanceIdentity,
    laterality: Laterality | None,
    location: str,
) -> UID:
    """Return the Tracking UID (0040,A124 of item 112040) of one place of one eye, over all visits.

    A patient without an ID, or an eye that is unknown, cannot be followed: such a place is tracked
    within its own instance only.
    """
    eye = laterality.value if laterality else ""
    if not (patient.patient_id and eye):
        return derived_uid("tracking-instance", source.sop_instance_uid, eye, location)
    return derived_uid("tracking", patient.issuer or "", patient.patient_id, eye, location)
