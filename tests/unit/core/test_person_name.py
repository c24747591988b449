import pytest

from core.values.person_name import FoldedName


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("DOE^John^^Dr", "doe^john^^dr"),
        ("  Doe  ^ John ^^^ ", "doe^john"),
        ("Strauß^Jürgen", "strauss^jürgen"),
        ("Ｄｏｅ^Ｊ", "doe^j"),
        ("", ""),
        ("^^^", ""),
    ],
)
def test_case_width_and_padding_make_no_difference(name: str, folded: str) -> None:
    assert FoldedName.of(name) == FoldedName(folded, "", "")


def test_each_group_is_folded_for_itself() -> None:
    name = FoldedName.of("Yamada^Tarou=山田^太郎=やまだ^たろう=more")

    assert name == FoldedName("yamada^tarou", "山田^太郎", "やまだ^たろう")
    assert FoldedName.of("=山田").main == "山田"
