"""Every attribute of Table E.1-1, one by one."""

import pytest
from pydicom import DataElement, Dataset
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.tag import Tag

from dicom_node.deidentification.options import Option
from dicom_node.deidentification.table import Rule, rule_of, rules
from tests.builders.identified import assert_names_nobody, deidentified, identified

TELLING = {
    "AE": "Okonkwo",
    "AS": "093Y",
    "CS": "OKONKWO",
    "DA": "20240320",
    "DS": "7719",
    "DT": "20240320101500",
    "IS": "7719",
    "LO": "Okonkwo",
    "LT": "Okonkwo",
    "OB": b"Okonkwo!",
    "PN": "Okonkwo^Adaeze",
    "SH": "Okonkwo",
    "ST": "Okonkwo",
    "TM": "101559",
    "UC": "Okonkwo",
    "UI": "1.2.840.99999.7.8",
    "UN": b"Okonkwo!",
    "UR": "urn:Okonkwo",
    "UT": "Okonkwo",
}
#: Of commands, file meta information and media directories: not part of an object.
_OUTSIDE = {0x0000, 0x0002, 0x0004}
#: Written anew: pseudonyms, and what says who made the object so.
_OURS = {Tag("PatientID"), Tag("PatientName")}
TAGS = sorted(tag for tag in rules() if tag >> 16 not in _OUTSIDE and Tag(tag) not in _OURS)


def _vr(tag: int) -> str:
    # Newer attributes than the dictionary has.
    return dictionary_VR(tag).split(" or ")[0] if dictionary_has_tag(tag) else "LO"


def _element(tag: int) -> DataElement:
    vr = _vr(tag)
    if vr != "SQ":
        value = TELLING.get(vr, 7)
        return DataElement(tag, vr, value)
    item = Dataset()
    item.PersonName = "Okonkwo^Adaeze"
    item.ReferencedSOPInstanceUID = "1.2.840.99999.7.8"
    return DataElement(tag, "SQ", [item])


def _with(tag: int) -> Dataset:
    dataset = identified()
    dataset[tag] = _element(tag)
    return dataset


def test_table_is_whole() -> None:
    assert len(rules()) == 652
    assert {rule.action for rule in rules().values()} == {
        *("X", "Z", "D", "U", "Z/D", "X/Z", "X/D", "X/Z/D", "X/Z/U*"),
    }


@pytest.mark.parametrize("tag", TAGS, ids=lambda tag: f"{tag:08X}")
def test_attribute_is_treated_as_the_profile_says(tag: int) -> None:
    rule = rule_of(tag)
    assert rule is not None

    given = deidentified(_with(tag))

    assert_names_nobody(given)
    if rule.action == "X":
        assert tag not in given
    elif rule.action in {"Z", "X/Z"}:
        assert given[tag].is_empty
    elif "U" in rule.action and _vr(tag) == "UI":
        assert given[tag].value.startswith("2.25.")
    elif rule.action in {"D", "Z/D"}:
        assert not given[tag].is_empty
        assert given[tag] != _element(tag)


@pytest.mark.parametrize("tag", TAGS, ids=lambda tag: f"{tag:08X}")
def test_options_keep_what_the_table_lets_them_keep(tag: int) -> None:
    rule = rule_of(tag)
    assert rule is not None
    kept = rule.kept_by & {Option.DEVICE_IDENTITY, Option.PATIENT_CHARACTERISTICS}

    given = deidentified(_with(tag), *Option)

    if not kept and _vr(tag) not in {"DA", "DT", "TM"}:
        assert_names_nobody(given, "SN-31337")
    # An age is kept as a lower one, and what names the patient after all is caught.
    if kept and _vr(tag) in {"UI", "DS", "US", "CS"}:
        assert given[tag] == _element(tag)


def test_curves_and_overlays_are_removed_whatever_their_number() -> None:
    tags = (0x50000010, 0x501E3000, 0x60000010, 0x60003000, 0x601E4000)

    assert {rule_of(tag) for tag in tags} == {Rule("Curves and overlays", "X", frozenset(), False)}
