from datetime import date

import pytest

from dicom_node.errors import MatchingKeyInvalid
from dicom_node.storage.query.match import (
    AnyOf,
    Days,
    Match,
    NameLike,
    Numbers,
    OneOf,
    Times,
    Wildcard,
)
from dicom_node.storage.query.parsing import MAXIMUM_LENGTH, MAXIMUM_VALUES, parse_key


@pytest.mark.parametrize(
    ("vr", "text", "match"),
    [
        ("UI", "1.2.3", OneOf(("1.2.3",))),
        ("UI", "1.2.3\\1.2.4\\1.2.3", OneOf(("1.2.3", "1.2.4"))),
        ("UI", "1.2.3\0", OneOf(("1.2.3",))),
        ("LO", " P1 ", OneOf(("P1",))),
        ("LO", "P*", Wildcard("P*")),
        ("CS", "OPT\\O?", AnyOf((OneOf(("OPT",)), Wildcard("O?")))),
        ("DA", "20240320", Days(date(2024, 3, 20), date(2024, 3, 20))),
        ("DA", "2024.03.20", Days(date(2024, 3, 20), date(2024, 3, 20))),
        ("DA", "20240101-20240131", Days(date(2024, 1, 1), date(2024, 1, 31))),
        ("DA", "20240101-", Days(date(2024, 1, 1), None)),
        ("DA", "-20240131", Days(None, date(2024, 1, 31))),
        ("TM", "1030", Times("1030", "1030", is_range=False)),
        ("TM", "100000.000-10:45:00", Times("10", "104500")),
        ("TM", "-1100", Times("", "1100")),
        ("TM", "103000.500-", Times("103000.5", "")),
        ("IS", " 7", Numbers((7,))),
        ("US", "512", Numbers((512,))),
        ("PN", "Müller^ANNA^^", NameLike(("müller^anna",))),
        ("PN", " Doe ^J*", NameLike(("doe^j*",))),
        ("PN", "=山田*", NameLike(("", "山田*"))),
        ("PN", "Ｙａ＊x*", NameLike(("yax*",))),
    ],
)
def test_form_of_a_value_says_how_it_matches(vr: str, text: str, match: Match) -> None:
    assert parse_key("Keyword", vr, text.split("\\")) == match


@pytest.mark.parametrize("text", ["", "  ", "*", "**", "\0", "P1\\*"])
@pytest.mark.parametrize("vr", ["LO", "PN", "UI", "DA", "IS"])
def test_empty_value_and_lone_asterisk_match_anything(vr: str, text: str) -> None:
    if text == "P1\\*" and vr not in {"LO", "PN"}:
        return
    assert parse_key("Keyword", vr, text.split("\\")) is None


@pytest.mark.parametrize(
    ("vr", "text"),
    [
        ("UI", "1..2"),
        ("UI", "../../etc/passwd"),
        ("UI", "1.2\0.3"),
        ("UI", "1.2.*"),
        ("UI", "1" * 65),
        ("DA", "2024"),
        ("DA", "20240230"),
        ("DA", "2024010120240102"),
        ("DA", "-"),
        ("DA", "'; DROP TABLE studies; --"),
        ("TM", "25:99"),
        ("TM", "10301"),
        ("IS", "1e3"),
        ("IS", "٣"),
        ("IS", "9" * 40),
        ("LO", "a\0b"),
        ("LO", "a\nb"),
        ("LO", "\ud800"),
        ("LO", "x" * (MAXIMUM_LENGTH + 1)),
        ("PN", "a\x7f"),
    ],
)
def test_value_none_can_have_is_refused_by_name_and_not_told(vr: str, text: str) -> None:
    with pytest.raises(MatchingKeyInvalid) as refusal:
        parse_key("TheKeyword", vr, text.split("\\"))

    assert refusal.value.keyword == "TheKeyword"
    assert text not in str(refusal.value)


def test_list_of_uids_has_an_end() -> None:
    longest = [f"1.2.{number}" for number in range(MAXIMUM_VALUES)]

    assert parse_key("StudyInstanceUID", "UI", longest) == OneOf(tuple(longest))
    with pytest.raises(MatchingKeyInvalid):
        parse_key("StudyInstanceUID", "UI", [*longest, "1.3"])
