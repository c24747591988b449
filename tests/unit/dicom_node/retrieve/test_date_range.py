import pytest

from dicom_node.calling_errors import QueryInvalid
from dicom_node.retrieve.date_range import DateRange


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("20240131", "20240131"),
        ("2024-01-31", "20240131"),
        ("20240101-20240131", "20240101-20240131"),
        ("2024-01-01..2024-01-31", "20240101-20240131"),
        ("2024-01-01-2024-01-31", "20240101-20240131"),
        ("20240101-", "20240101-"),
        ("..2024-01-31", "-20240131"),
    ],
)
def test_a_range_is_read_and_asked_for(text: str, asked: str) -> None:
    assert str(DateRange.parse(text)) == asked


@pytest.mark.parametrize("text", ["", "-", "yesterday", "20241301", "20240131-20240101", "2024"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(QueryInvalid):
        DateRange.parse(text)


def test_a_range_holds_its_ends_and_no_other_text() -> None:
    january = DateRange.parse("20240101-20240131")

    held = [january.holds(text) for text in ("20240101", "20240131", "20240201", "", "soon")]

    assert held == [True, True, False, False, False]
    assert DateRange.parse("20240101-").holds("20991231")
