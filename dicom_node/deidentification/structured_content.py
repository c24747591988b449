"""Content of documents: what is measured and coded stays, what people wrote goes."""

from typing import Final

from pydicom import DataElement, Dataset

from core.pseudonyms import OLDEST_AGE_YEARS
from dicom_node.deidentification.options import Option

#: Value types whose value is free text (PS3.3 C.17.3.2.1).
_WRITTEN: Final = frozenset({"TEXT"})
#: Observer's, and subject's name, ID and birth date (PS3.16 TID 1003 and 1007).
_WHO: Final = frozenset({"121008", "121029", "121030", "121031"})
_SEX: Final = "121032"
_AGES: Final = frozenset({"121033", "30525-0"})
#: UCUM.
_YEARS: Final = "a"
#: The same number again, more exactly.
_PRECISE: Final = ("FloatingPointValue", "RationalNumeratorValue", "RationalDenominatorValue")


def clean_content(content: DataElement, options: frozenset[Option]) -> None:
    """Take out the items of a Content Sequence that people wrote or that name somebody.

    Their own values are cleaned already, and so is what is below them.
    """
    content.value = [item for item in content.value if _stays(item, options)]


def _stays(item: Dataset, options: frozenset[Option]) -> bool:
    concept = _concept_of(item)
    if str(item.get("ValueType", "")) in _WRITTEN or concept in _WHO:
        return False
    if concept != _SEX and concept not in _AGES:
        return True
    if Option.PATIENT_CHARACTERISTICS not in options:
        return False
    if concept in _AGES:
        _cap_age(item)
    return True


def _concept_of(item: Dataset) -> str:
    names = item.get("ConceptNameCodeSequence") or []
    return str(names[0].get("CodeValue", "")) if names else ""


def _cap_age(item: Dataset) -> None:
    for measured in item.get("MeasuredValueSequence") or []:
        value = measured.get("NumericValue")
        if _is_in_years(measured) and value is not None and float(value) > OLDEST_AGE_YEARS:
            measured.NumericValue = str(OLDEST_AGE_YEARS)
            for precise in _PRECISE:
                measured.pop(precise, None)


def _is_in_years(measured: Dataset) -> bool:
    units = measured.get("MeasurementUnitsCodeSequence") or []
    return bool(units) and str(units[0].get("CodeValue", "")) == _YEARS
