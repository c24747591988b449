import pytest

from api.dicomweb.byte_range import ByteRange, read_range
from api.errors import RangeNotSatisfiable


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-9", ByteRange(0, 10)),
        ("bytes=5-", ByteRange(5, 100)),
        ("bytes=-7", ByteRange(93, 100)),
        ("bytes=-700", ByteRange(0, 100)),
        ("bytes=90-700", ByteRange(90, 100)),
        # What is no range that we know is answered whole (RFC 9110 14.2).
        ("bytes=9-5", None),
        ("bytes=1-2,4-5", None),
        ("bytes=-", None),
        ("items=1-2", None),
    ],
)
def test_ranges_are_read(header: str | None, expected: ByteRange | None) -> None:
    assert read_range(header, 100) == expected


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=999-1000", "bytes=-0"])
def test_ranges_beyond_the_end_are_told(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable):
        read_range(header, 100)
