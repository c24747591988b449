"""What becomes of each attribute of a data set: the table, and a rule by kind for all others."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from pydicom import DataElement, Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UID

from core.pseudonyms import OLDEST_AGE_YEARS, Pseudonyms
from dicom_node.deidentification.dates import moved
from dicom_node.deidentification.descriptors import is_of_the_field
from dicom_node.deidentification.dummies import dummy_code, dummy_of
from dicom_node.deidentification.options import Option
from dicom_node.deidentification.structured_content import clean_content
from dicom_node.deidentification.table import Rule, rule_of
from dicom_node.devices.attributes import READING_ERRORS

#: Turns a value into another one.
_Change = Callable[[str], str]

_DATES: Final = frozenset({"DA", "DT", "TM"})
#: Days of the person, not of the visit: moving them would tell the age.
_OF_THE_PERSON: Final = frozenset({Tag("PatientBirthDate"), Tag("PatientBirthTime")})
#: Value representations that hold free text, names or addresses; where the table does not name
#: such an attribute nothing says that it is harmless.
_FREE: Final = frozenset({"AE", "LT", "PN", "ST", "UN", "UR", "UT"})
#: Of them, codes of terminologies.
_SAFE: Final = frozenset({Tag("URNCodeValue"), Tag("ExtendedCodeMeaning")})
_BINARY: Final = frozenset({"OB", "OD", "OF", "OL", "OV", "OW"})
#: Groups whose binary values are pixels, lookup tables or measured curves.
_MEASURED_GROUPS: Final = frozenset({0x0022, 0x0028, 0x0062, 0x0064, 0x0066, 0x5400, 0x7FE0})
#: UIDs of kinds of things.
_KINDS: Final = frozenset(
    map(
        Tag,
        (
            "SOPClassUID",
            "ReferencedSOPClassUID",
            "RelatedGeneralSOPClassUID",
            "OriginalSpecializedSOPClassUID",
        ),
    )
)
_PERSON: Final = Tag("PersonIdentificationCodeSequence")
_CONTENT: Final = Tag("ContentSequence")
_AGE: Final = Tag("PatientAge")


@dataclass(frozen=True)
class Cleaner:
    """How the objects of one patient are cleaned.

    Attributes
    ----------
    days_back
        By how many days dates move, where they may stay.
    """

    pseudonyms: Pseudonyms
    days_back: int
    options: frozenset[Option]

    def clean(self, dataset: Dataset) -> None:
        """Clean a data set and every item in it, in place."""
        for tag in list(dataset.keys()):
            if tag.is_private or not self._clean_element(dataset, tag):
                del dataset[tag]

    def _clean_element(self, dataset: Dataset, tag: BaseTag) -> bool:
        """Clean one element; whether it stays."""
        rule = rule_of(tag)
        try:
            element = dataset[tag]
            if element.VR == "SQ":
                return self._clean_sequence(element, rule)
            return self._clean_value(element, rule)
        except READING_ERRORS:
            return False

    def _clean_sequence(self, element: DataElement, rule: Rule | None) -> bool:
        kept = rule is None or bool(rule.kept_by & self.options)
        if rule and not kept and rule.action != "D" and "U" not in rule.action:
            element.value = []
            return rule.may_be_empty
        if element.tag == _PERSON:
            element.value = [dummy_code()]
        for item in element.value:
            self.clean(item)
        if element.tag == _CONTENT:
            clean_content(element, self.options)
            return bool(element.value)
        return True

    def _clean_value(self, element: DataElement, rule: Rule | None) -> bool:
        change = self._change_of(element, rule)
        if change is not None:
            _apply(change, element, rule)
            return True
        if rule is None:
            return _is_harmless(element)
        if self._is_kept(element, rule):
            return True
        return _replace(element, rule)

    def _change_of(self, element: DataElement, rule: Rule | None) -> _Change | None:
        """Return what each value of an element is turned into by, None where by nothing."""
        if element.tag == _AGE:
            return _capped_age if Option.PATIENT_CHARACTERISTICS in self.options else None
        if element.VR in _DATES and element.tag not in _OF_THE_PERSON:
            is_moved = Option.MODIFIED_DATES in self.options
            return partial(moved, element.VR, days_back=self.days_back) if is_moved else None
        is_named = element.VR == "UI" and element.tag not in _KINDS
        if is_named and (rule is None or _is_renamed(rule, self.options)):
            return self._other_uid
        return None

    def _is_kept(self, element: DataElement, rule: Rule) -> bool:
        if rule.kept_by & self.options and element.VR not in _DATES:
            return True
        if not rule.is_descriptor or Option.CLEAN_DESCRIPTORS not in self.options:
            return False
        values = _values(element)
        return all(isinstance(value, str) and is_of_the_field(value) for value in values)

    def _other_uid(self, uid: str) -> str:
        # What the standard itself names stays what it is.
        return uid if not uid or UID(uid).name != uid else self.pseudonyms.uid(uid)


def _is_renamed(rule: Rule, options: frozenset[Option]) -> bool:
    # The dummy value of a UID is another UID.
    return bool({"U", "D"} & set(rule.action)) and not rule.kept_by & options


def _apply(change: _Change, element: DataElement, rule: Rule | None) -> None:
    changed = [change(str(value)) for value in _values(element)]
    if not any(changed) and rule is not None and rule.must_stay:
        element.value = dummy_of(element.VR)
    else:
        element.value = changed[0] if len(changed) == 1 else changed


def _values(element: DataElement) -> list[Any]:
    if isinstance(element.value, MultiValue):
        return list(element.value)
    return ["" if element.value is None else element.value]


def _replace(element: DataElement, rule: Rule) -> bool:
    """Give the attribute what the table says; whether it stays."""
    if rule.must_stay:
        element.value = dummy_of(element.VR)
        return True
    element.clear()
    return rule.may_be_empty


def _is_harmless(element: DataElement) -> bool:
    """Whether an attribute the table does not name may stay as it is."""
    if element.VR in _DATES or (element.VR in _FREE and element.tag not in _SAFE):
        return False
    return element.VR not in _BINARY or element.tag.group in _MEASURED_GROUPS


def _capped_age(age: str) -> str:
    if not (age.endswith("Y") and age[:-1].isdigit()):
        # Days, weeks and months are those of a child.
        return age if len(age) == len("000M") and age[:3].isdigit() else ""
    return f"{min(int(age[:-1]), OLDEST_AGE_YEARS):03d}Y"
