"""The archive that is asked: made up, always the same, of any size."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

#: Two studies a patient, two series a study, five instances a series.
STUDIES_A_PATIENT: Final = 2
SERIES_A_STUDY: Final = 2
INSTANCES_A_SERIES: Final = 5
INSTANCES_A_STUDY: Final = SERIES_A_STUDY * INSTANCES_A_SERIES

_ROOT: Final = "2.25.7016"
_FIRST_DAY: Final = date(2012, 1, 2)
_DAYS: Final = 5000
#: Prime to the number of days, so that studies that follow each other are years apart.
_STRIDE: Final = 1237
_FAMILY: Final = (
    "ba",
    "do",
    "fe",
    "gu",
    "ka",
    "lo",
    "mi",
    "nu",
    "po",
    "ra",
    "se",
    "ti",
    "vo",
    "wy",
)
_ENDINGS: Final = ("mann", "son", "ski", "er", "etti", "ova", "berg", "ez")
_GIVEN: Final = ("Anna", "Ben", "Chen", "Dora", "Emil", "Fatma", "Georg", "Hana", "Ivan", "Jülide")
_MODALITIES: Final = ("OPT", "OP")
_CLASSES: Final = ("1.2.840.10008.5.1.4.1.1.77.1.5.4", "1.2.840.10008.5.1.4.1.1.77.1.5.1")


@dataclass(frozen=True)
class Patient:
    """Patient number `number`, from 0."""

    number: int

    @property
    def patient_id(self) -> str:
        """Patient ID."""
        return f"PAT{self.number:07d}"

    @property
    def name(self) -> str:
        """Patient's Name; a few hundred family names, as in a town."""
        first, second = self.number % 14, self.number // 14 % 14
        ending = _ENDINGS[self.number // 196 % len(_ENDINGS)]
        family = f"{_FAMILY[first]}{_FAMILY[second]}{ending}".capitalize()
        return f"{family}^{_GIVEN[self.number // 1568 % len(_GIVEN)]}{self.number % 1000}"

    @property
    def birth_date(self) -> date:
        """Patient's Birth Date."""
        return date(1930, 1, 1) + timedelta(days=self.number * 37 % 25000)


@dataclass(frozen=True)
class Study:
    """Study number `number`, from 0, of one of the patients."""

    number: int

    @property
    def patient(self) -> Patient:
        """Whose it is."""
        return Patient(self.number // STUDIES_A_PATIENT)

    @property
    def uid(self) -> str:
        """Study Instance UID."""
        return f"{_ROOT}.{self.number + 1}"

    @property
    def day(self) -> date:
        """Study Date."""
        return _FIRST_DAY + timedelta(days=self.number * _STRIDE % _DAYS)

    @property
    def accession_number(self) -> str:
        """Accession Number."""
        return f"ACC{self.number:08d}"

    @property
    def description(self) -> str:
        """Study Description."""
        return ("OCT disc", "OCT macula", "Fundus")[self.number % 3]

    def series(self) -> Iterator["Series"]:
        """Return its series."""
        for place in range(SERIES_A_STUDY):
            yield Series(self, place)


@dataclass(frozen=True)
class Series:
    """Series `place`, from 0, of a study."""

    study: Study
    place: int

    @property
    def number(self) -> int:
        """Which it is of all."""
        return self.study.number * SERIES_A_STUDY + self.place

    @property
    def uid(self) -> str:
        """Series Instance UID."""
        return f"{self.study.uid}.{self.place + 1}"

    @property
    def modality(self) -> str:
        """Modality."""
        return _MODALITIES[self.place % len(_MODALITIES)]

    @property
    def sop_class_uid(self) -> str:
        """SOP Class UID of its instances."""
        return _CLASSES[self.place % len(_CLASSES)]

    def instance_uids(self) -> Iterator[str]:
        """Return the SOP Instance UIDs of its instances."""
        for place in range(INSTANCES_A_SERIES):
            yield f"{self.uid}.{place + 1}"


@dataclass(frozen=True)
class Population:
    """So many studies, with what is above and below them."""

    studies: int

    @property
    def patients(self) -> int:
        """How many patients they are of."""
        return -(-self.studies // STUDIES_A_PATIENT)

    @property
    def instances(self) -> int:
        """How many instances they hold."""
        return self.studies * INSTANCES_A_STUDY
