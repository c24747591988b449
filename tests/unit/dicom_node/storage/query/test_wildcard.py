import pytest

from dicom_node.storage.query.wildcard import (
    as_glob,
    as_like,
    following,
    literal_prefix,
    name_patterns,
)


@pytest.mark.parametrize(
    ("pattern", "like", "glob"),
    [
        ("a*b?", "a%b_", "a*b?"),
        ("100%_\\", "100\\%\\_\\\\", "100%_\\"),
        ("[a]*", "[a]%", "[[]a]*"),
        ("a****b", "a%b", "a*b"),
    ],
)
def test_pattern_means_the_same_in_both_languages(pattern: str, like: str, glob: str) -> None:
    assert (as_like(pattern), as_glob(pattern)) == (like, glob)


@pytest.mark.parametrize(
    ("prefix", "after"),
    [("abc", "abd"), ("a\U0010ffff", "b"), ("\U0010ffff", None), ("\ud7ff", "\ue000"), ("", None)],
)
def test_what_follows_a_beginning_is_behind_all_that_begin_so(
    prefix: str, after: str | None
) -> None:
    assert following(prefix) == after


def test_beginning_ends_at_the_first_wildcard() -> None:
    assert [literal_prefix(p) for p in ("ab*c", "ab?c", "*a", "ab")] == ["ab", "ab", "", "ab"]


def test_missing_components_are_meant_by_asterisks_for_them() -> None:
    assert name_patterns("doe^*^*") == ("doe^*^*", "doe^*", "doe")
