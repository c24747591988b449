"""The invented people of the samples, their examinations, and UIDs that never change."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID, uuid5

#: Root of every UID of the samples; changing it changes all of them.
NAMESPACE: Final = UUID("0b4f6f0e-3c0d-5e0b-9a63-6d1c1c2d24f2")


def uid(label: str) -> str:
    """Return the UID of a labelled thing, always the same one (PS3.5 section B.2, root 2.25)."""
    return f"2.25.{uuid5(NAMESPACE, label).int}"


@dataclass(frozen=True)
class Patient:
    """An invented person; `birth_date` None leaves the age unknown."""

    patient_id: str
    name: str
    birth_date: date | None
    sex: str


@dataclass(frozen=True)
class Study:
    """One examination of one patient.

    Attributes
    ----------
    key
        Label from which the study's UIDs are derived.
    acquired_at
        Local time of the device, without a zone, as devices write it.
    """

    key: str
    patient: Patient
    accession_number: str
    acquired_at: datetime

    def uid(self, *labels: str) -> str:
        """Return the UID of the study, or of something inside it."""
        return uid("/".join((self.key, *labels)))

    @property
    def age_years(self) -> int | None:
        """Age in whole years at the scan; None where the birth date is unknown."""
        born, day = self.patient.birth_date, self.acquired_at.date()
        if born is None:
            return None
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))

    @property
    def age_text(self) -> str:
        """Patient's Age (0010,1010) as `058Y`; empty where it is unknown."""
        return "" if self.age_years is None else f"{self.age_years:03d}Y"
