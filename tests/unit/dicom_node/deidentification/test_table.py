"""Every attribute of Table E.1-1."""

from itertools import groupby

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
GROUPS = [list(some) for _, some in groupby(TAGS, lambda tag: tag >> 16)]


def _group(tags: list[int]) -> str:
    return f"{tags[0] >> 16:04X}"


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


# A group of attributes a test: there are too many for one each.
@pytest.mark.parametrize("tags", GROUPS, ids=_group)
def test_attribute_is_treated_as_the_profile_says(tags: list[int]) -> None:
    for tag in tags:
        given = deidentified(_with(tag))

        assert_names_nobody(given)
        assert _is_treated(tag, given), Tag(tag)


def _is_treated(tag: int, given: Dataset) -> bool:
    rule = rule_of(tag)
    assert rule is not None
    if rule.action == "X":
        return tag not in given
    if rule.action in {"Z", "X/Z"}:
        return bool(given[tag].is_empty)
    if "U" in rule.action and _vr(tag) == "UI":
        return str(given[tag].value).startswith("2.25.")
    if rule.action in {"D", "Z/D"}:
        return not given[tag].is_empty and given[tag] != _element(tag)
    return True


@pytest.mark.parametrize("tags", GROUPS, ids=_group)
def test_options_keep_what_the_table_lets_them_keep(tags: list[int]) -> None:
    for tag in tags:
        rule = rule_of(tag)
        assert rule is not None
        kept = rule.kept_by & {Option.DEVICE_IDENTITY, Option.PATIENT_CHARACTERISTICS}

        given = deidentified(_with(tag), *Option)

        if not kept and _vr(tag) not in {"DA", "DT", "TM"}:
            assert_names_nobody(given, "SN-31337")
        # An age is kept as a lower one, and what names the patient after all is caught.
        if kept and _vr(tag) in {"UI", "DS", "US", "CS"}:
            assert given[tag] == _element(tag), Tag(tag)


def test_curves_and_overlays_are_removed_whatever_their_number() -> None:
    tags = (0x50000010, 0x501E3000, 0x60000010, 0x60003000, 0x601E4000)

    assert {rule_of(tag) for tag in tags} == {Rule("Curves and overlays", "X", frozenset(), False)}
