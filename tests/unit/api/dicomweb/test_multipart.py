from collections.abc import Mapping

import pytest

from api.dicomweb.multipart import MAXIMUM_HEADER_BYTES, MultipartReader
from api.dicomweb.parts import PartBegan, PartContent, PartEnded
from api.errors import BodyMalformed

Part = tuple[Mapping[str, str], bytes]


def parts_of(*fragments: bytes, boundary: str = "b") -> list[Part]:
    """Return the whole parts of a body."""
    reader = MultipartReader(boundary)
    parts: list[Part] = []
    headers: Mapping[str, str] = {}
    content = b""
    events = [event for fragment in fragments for event in reader.feed(fragment)]
    for event in [*events, *reader.close()]:
        match event:
            case PartBegan():
                headers, content = event.headers, b""
            case PartContent():
                content += event.content
            case PartEnded():
                parts.append((headers, content))
    return parts


@pytest.mark.parametrize(
    "body",
    [
        b"--b\r\n\r\nx\r\n--b--\r\n",
        b"--b\r\n\r\nx\r\n--b--",
        b"\r\n--b\r\n\r\nx\r\n--b--",
        b"a preamble\r\nof two lines\r\n--b\r\n\r\nx\r\n--b--\r\nan epilogue\r\n--b\r\n\r\ny",
        b"--b \t \r\n\r\nx\r\n--b  \r\n\r\n--b--",
    ],
    ids=["usual", "without the last line end", "empty preamble", "epilogue", "padding"],
)
def test_parts_are_found_between_delimiters(body: bytes) -> None:
    contents = [content for _, content in parts_of(body)]

    assert contents[0] == b"x"
    assert all(content == b"" for content in contents[1:])


def test_content_that_looks_like_a_delimiter_stays_content() -> None:
    content = b"--b\r\n--bb\r\n\r\n--b-x\r\n--B--\n--b--\r\r\n"

    assert parts_of(b"--b\r\n\r\n\x00" + content + b"\r\n--b--") == [({}, b"\x00" + content)]


def test_headers_are_read_folded_and_in_any_case() -> None:
    block = b"content-TYPE:application/dicom;\r\n\t transfer-syntax=1.2\r\nX: \r\n"

    [(headers, content)] = parts_of(b"--b\r\n" + block + b"\r\nx\r\n--b--")

    assert content == b"x"
    assert headers == {"content-type": "application/dicom; transfer-syntax=1.2", "x": ""}


@pytest.mark.parametrize("part", [b"\r\n", b"\r\n\r\n", b"A: b\r\n\r\n", b"A: b\r\n\r\n\r\n"])
def test_a_part_may_be_empty(part: bytes) -> None:
    [(_, content)] = parts_of(b"--b\r\n" + part + b"--b--")

    assert content == b""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no boundary at all",
        b"--other\r\n\r\nx\r\n--other--",
        b"--b\r\n\r\nx",
        b"--b\r\n\r\nx\r\n--b\r\n",
        b"--b\r\n\r\nx\r\n--b-",
        b"--b\n\nx\n--b--",
        b"--b\r\nno field\r\n\r\nx\r\n--b--",
        b"--b\r\n: no name\r\n\r\nx\r\n--b--",
        b"--b\r\nA: " + b"a" * MAXIMUM_HEADER_BYTES + b"\r\n\r\nx\r\n--b--",
        b"--b\r\nA: " + b"a" * MAXIMUM_HEADER_BYTES,
    ],
)
def test_what_is_no_multipart_body_is_refused(body: bytes) -> None:
    with pytest.raises(BodyMalformed):
        parts_of(body)


@pytest.mark.parametrize("boundary", ["", "b ", "b\r\n", 'b"', "b;", "é", "b" * 71])
def test_what_is_no_boundary_is_refused(boundary: str) -> None:
    with pytest.raises(BodyMalformed):
        MultipartReader(boundary)


@pytest.mark.parametrize("boundary", ["b" * 70, "a b", "'()+_,-./:=?", ".+", "0"])
def test_any_boundary_of_the_standard_delimits(boundary: str) -> None:
    mark = b"--" + boundary.encode()

    assert parts_of(mark + b"\r\n\r\nx\r\n" + mark + b"--", boundary=boundary) == [({}, b"x")]


def test_a_long_delimiter_may_be_cut_anywhere() -> None:
    boundary = "b" * 70
    mark = b"--" + boundary.encode()
    body = mark + b"\r\n\r\nx\r\n" + mark + b" " * 64 + b"\r\n\r\ny\r\n" + mark + b"--"

    for place in range(len(body)):
        halves = (body[:place], body[place:])
        assert parts_of(*halves, boundary=boundary) == [({}, b"x"), ({}, b"y")]


def test_no_more_than_a_delimiter_is_held_back() -> None:
    reader = MultipartReader("b" * 70)
    list(reader.feed(b"--" + b"b" * 70 + b"\r\n\r\n"))

    events = list(reader.feed(b"x" * 1_000_000))

    passed_on = sum(len(event.content) for event in events if isinstance(event, PartContent))
    assert passed_on > 1_000_000 - 200
