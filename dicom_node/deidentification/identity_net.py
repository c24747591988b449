"""The last net: texts of an object that still name whom it is of."""

import re
from collections.abc import Collection, Iterable
from typing import Final

from pydicom import Dataset

from core.values.identity import PatientIdentity
from core.values.person_name import fold_text
from dicom_node.devices.attributes import values_of

_PERSON_WORDS: Final = re.compile(r"[^\W\d_]{2,}")
_SHORTEST: Final = 3
_ASCII: Final = re.compile(r"[\x00-\x7f]+")
#: Attributes of the whole object that say who it is of, who made it and where.
_NAMES: Final = (
    "PatientName",
    "OtherPatientNames",
    "PatientBirthName",
    "PatientMotherBirthName",
    "ReferringPhysicianName",
    "PerformingPhysicianName",
    "NameOfPhysiciansReadingStudy",
    "PhysiciansOfRecord",
    "RequestingPhysician",
    "OperatorsName",
)
_IDENTIFIERS: Final = (
    "PatientID",
    "IssuerOfPatientID",
    "OtherPatientIDs",
    "AccessionNumber",
    "StudyID",
    "InstitutionName",
    "PatientTelephoneNumbers",
    "PatientBirthDate",
)


class IdentityNet:
    """Texts that would say who an object is of.

    Parameters
    ----------
    names
        Persons' names; each word of three letters or more counts.
    identifiers
        Numbers and the like; each counts as a whole.
    """

    def __init__(self, names: Collection[str], identifiers: Iterable[str]) -> None:
        words = {word for name in names for word in _PERSON_WORDS.findall(fold_text(name))}
        whole = {fold_text(identifier).strip() for identifier in identifiers}
        # "山田^太郎" is written 山田太郎 elsewhere.
        whole |= {group.replace("^", "") for name in names for group in fold_text(name).split("=")}
        wanted = {text for text in (*words, *whole) if _tells(text)}
        patterns = sorted(map(_pattern, wanted), key=len, reverse=True)
        self._pattern = re.compile("|".join(patterns)) if patterns else None

    def catches(self, text: str) -> bool:
        """Whether a text names somebody of this object."""
        return self._pattern is not None and self._pattern.search(fold_text(text)) is not None


def net_of(dataset: Dataset, patient: PatientIdentity) -> IdentityNet:
    """Return the net of an object, as it was before anything was removed.

    Parameters
    ----------
    patient
        Whose it is, by the record.
    """
    names = [patient.name, *(text for word in _NAMES for text in _texts(dataset, word))]
    known = [text for keyword in _IDENTIFIERS for text in _texts(dataset, keyword)]
    known += [patient.patient_id, patient.issuer or ""]
    births = [form for text in _texts(dataset, "PatientBirthDate") for form in _written(text)]
    return IdentityNet(names, (*known, *births))


def _texts(dataset: Dataset, keyword: str) -> list[str]:
    return [str(value) for value in values_of(dataset, keyword)]


def _written(day: str) -> list[str]:
    year, month, dom = day[:4], day[4:6], day[6:8]
    if not dom:
        return []
    orders = ((year, month, dom), (dom, month, year), (month, dom, year))
    return [mark.join(order) for order in orders for mark in ("-", ".", "/", "")]


def _tells(text: str) -> bool:
    return len(text) >= _SHORTEST or (bool(text) and not _ASCII.fullmatch(text))


def _pattern(text: str) -> str:
    escaped = re.escape(text)
    # Where words are written apart, "Ito" must not be found in "monitor".
    return rf"(?<!\w){escaped}(?!\w)" if _ASCII.fullmatch(text) else escaped
