import pytest

from dicom_node.deidentification.dates import moved


@pytest.mark.parametrize(
    ("vr", "text", "expected"),
    [
        ("DA", "20240301", "20240229"),
        ("DA", "2024.03.01", "20240229"),
        ("DA", "20240230", ""),
        ("DA", "00010101", ""),
        ("DA", "about 2024", ""),
        ("DT", "20240301", "20240229"),
        ("DT", "20240301101500.123456+0800", "20240229101500.123456"),
        ("DT", "202403", "202402"),
        ("DT", "2024", "2023"),
        ("DT", "202403011015 Ito", ""),
        ("TM", "101500.25", "101500.25"),
        ("TM", "10:15:00", "10:15:00"),
        ("TM", "noon", ""),
    ],
)
def test_moved_by_a_day(vr: str, text: str, expected: str) -> None:
    assert moved(vr, text, 1) == expected
