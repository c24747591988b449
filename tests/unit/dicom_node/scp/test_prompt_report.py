import pytest

from dicom_node.scp.prompt_report import Fragment, pack

FRAGMENTS: list[Fragment] = [(1, b"a" * 10), (1, b"b" * 20), (1, b"c" * 30)]


@pytest.mark.parametrize(
    ("maximum_bytes", "sizes"),
    [
        (0, [3]),
        (75, [3]),
        (74, [2, 1]),
        (40, [2, 1]),
        (39, [1, 1, 1]),
        (1, [1, 1, 1]),
    ],
)
def test_fragments_share_a_pdu_as_long_as_they_fit(maximum_bytes: int, sizes: list[int]) -> None:
    groups = list(pack(FRAGMENTS, maximum_bytes))

    assert [len(group) for group in groups] == sizes
    assert [fragment for group in groups for fragment in group] == FRAGMENTS


def test_nothing_is_no_pdu() -> None:
    assert list(pack([], 100)) == []
