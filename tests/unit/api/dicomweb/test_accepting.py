import pytest

from api.dicomweb.accepting import Accepted, read_accept

OCTETS = "application/octet-stream"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, [Accepted("*/*", None)]),
        ("", [Accepted("*/*", None)]),
        ("image/png", [Accepted("image/png", False)]),
        (
            f'multipart/related; type="{OCTETS}"; transfer-syntax=*',
            [Accepted(OCTETS, True, "*")],
        ),
        (f"multipart/related;type={OCTETS};transfer-syntax=*", [Accepted(OCTETS, True, "*")]),
        ('multipart/related; type="*/*"', [Accepted("*/*", True)]),
        ("multipart/related", [Accepted("*/*", True)]),
        (
            "image/png;q=0.1, image/jpeg, text/html;q=0",
            [Accepted("image/jpeg", False), Accepted("image/png", False)],
        ),
        ('multipart/related; type="a/b,c"', [Accepted("a/b,c", True)]),
        ("image/png;q=x", []),
    ],
)
def test_header_is_read_in_order(header: str | None, expected: list[Accepted]) -> None:
    assert read_accept(header) == expected


def test_parameter_counts_before_the_header() -> None:
    assert read_accept("text/html", "image/png") == [Accepted("image/png", False)]


def test_families_fit() -> None:
    assert Accepted("image/*", False).fits("image/png")
    assert not Accepted("image/*", False).fits("application/pdf")
