from collections.abc import Mapping, Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from api.dicomweb.multipart import MultipartReader
from api.dicomweb.parts import PartBegan, PartContent, PartEnded
from api.errors import BodyMalformed

BOUNDARY = "b1"
#: What delimiters are made of, so that content comes close to one.
PIECES = (b"\r\n--b1", b"\r\n", b"\r", b"\n", b"--", b"b1", b"b", b" ", b"x", b": ", b"\x00\xff")

Part = tuple[Mapping[str, str], bytes]

contents = st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)
cuts = st.lists(st.integers(0, 400), max_size=40)


def fragments(body: bytes, at: Sequence[int]) -> list[bytes]:
    places = [0, *sorted(min(place, len(body)) for place in at), len(body)]
    return [body[begin:end] for begin, end in pairwise(places)]


def parts_of(fragments: Sequence[bytes]) -> list[Part] | None:
    """Return the parts, None where the body is refused."""
    reader = MultipartReader(BOUNDARY)
    parts: list[Part] = []
    try:
        for fragment in fragments:
            for event in reader.feed(fragment):
                match event:
                    case PartBegan(headers):
                        parts.append((headers, b""))
                    case PartContent(content):
                        parts[-1] = (parts[-1][0], parts[-1][1] + content)
                    case PartEnded():
                        pass
        assert list(reader.close()) == []
    except BodyMalformed:
        return None
    return parts


@given(body=contents, at=cuts)
def test_any_fragments_of_any_bytes_give_the_same_parts(body: bytes, at: list[int]) -> None:
    assert parts_of(fragments(body, at)) == parts_of([body])


@given(
    bodies=st.lists(contents.filter(lambda content: b"\r\n--b1" not in b"\r\n" + content)),
    preamble=st.sampled_from([b"", b"preamble\r\n", b"\r\n"]),
    epilogue=st.sampled_from([b"", b"\r\n", b"\r\n--b1\r\n\r\nepilogue"]),
    padding=st.text(" \t", max_size=64),
    at=cuts,
)
def test_what_was_put_into_a_body_comes_out(
    bodies: list[bytes], preamble: bytes, epilogue: bytes, padding: str, at: list[int]
) -> None:
    delimiter = b"--b1" + padding.encode() + b"\r\n"
    written = b"".join(delimiter + b"A: 1\r\n\r\n" + content + b"\r\n" for content in bodies)
    body = preamble + written + b"--b1--" + epilogue

    assert parts_of(fragments(body, at)) == [({"a": "1"}, content) for content in bodies]
