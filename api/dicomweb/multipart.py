"""Taking a multipart body apart while it arrives (RFC 2046 5.1), whatever its fragments are.

It knows nothing of HTTP and DICOM. It holds back no more than a delimiter and a part's headers.
"""

import re
from collections.abc import Iterator, Mapping
from enum import Enum, auto
from typing import Final

from api.dicomweb.parts import PartBegan, PartContent, PartEnded, PartEvent
from api.errors import BodyMalformed

#: All header fields of one part together.
MAXIMUM_HEADER_BYTES: Final = 16 * 1024
#: White space between a delimiter and its line end, which RFC 2046 allows mail gateways to add.
_MAXIMUM_PADDING: Final = 64
_LINE_END: Final = b"\r\n"
_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_FOLD: Final = re.compile(rb"\r\n[ \t]+")
_FIELD: Final = re.compile(rb"([!#-'*+\-.^-z|~0-9A-Z]+):(.*)", re.DOTALL)


class _State(Enum):
    PREAMBLE = auto()
    HEADERS = auto()
    CONTENT = auto()
    EPILOGUE = auto()


class MultipartReader:
    """One body.

    Parameters
    ----------
    boundary
        The parameter of its Content-Type.

    Raises
    ------
    BodyMalformed
        If it is no boundary.
    """

    def __init__(self, boundary: str) -> None:
        if not _BOUNDARY.fullmatch(boundary):
            raise BodyMalformed("The boundary of the body is missing or malformed")
        delimiter = _LINE_END + b"--" + boundary.encode("ascii")
        padding = rb"[ \t]{0,%d}" % _MAXIMUM_PADDING
        # A line that goes on otherwise is content that happens to begin like the delimiter.
        self._delimiter = re.compile(re.escape(delimiter) + rb"(--|" + padding + rb"(?=\r\n))")
        self._held_back = len(delimiter) + _MAXIMUM_PADDING + len(_LINE_END) - 1
        self._state = _State.PREAMBLE
        # The first delimiter may stand at the very beginning, without a line before it.
        self._rest = _LINE_END
        #: Leading bytes of `_rest` that were dealt with; they may still begin a delimiter.
        self._done = 0

    def feed(self, content: bytes) -> Iterator[PartEvent]:
        """Return what the next bytes of the body bring."""
        self._rest += content
        while self._rest:
            before = self._state
            if before is _State.EPILOGUE:
                self._rest = b""
            elif before is _State.HEADERS:
                yield from self._read_headers()
            else:
                yield from self._read_to_delimiter()
            if self._state is before:
                return

    def close(self) -> Iterator[PartEvent]:
        """Return nothing: the closing delimiter was the end."""
        if self._state is not _State.EPILOGUE:
            raise BodyMalformed("The body ends before its closing boundary")
        yield from ()

    def _read_to_delimiter(self) -> Iterator[PartEvent]:
        found = self._delimiter.search(self._rest)
        end = found.start() if found else len(self._rest) - self._held_back
        if self._state is _State.CONTENT and end > self._done:
            yield PartContent(self._rest[self._done : end])
        if found is None:
            self._drop(max(0, end))
            return
        if self._state is _State.CONTENT:
            yield PartEnded()
        is_last = found.group(1) == b"--"
        self._state = _State.EPILOGUE if is_last else _State.HEADERS
        self._rest, self._done = self._rest[found.end() :], 0

    def _drop(self, count: int) -> None:
        self._done = max(0, self._done - count)
        self._rest = self._rest[count:]

    def _read_headers(self) -> Iterator[PartEvent]:
        # From the line end of the delimiter to an empty line; without headers both are one.
        end = self._rest.find(_LINE_END + _LINE_END)
        if (end if end >= 0 else len(self._rest)) > MAXIMUM_HEADER_BYTES:
            raise BodyMalformed("The headers of a part are too long")
        if end < 0:
            return
        headers = _read_fields(self._rest[len(_LINE_END) : end])
        self._state = _State.CONTENT
        # The empty line may be the beginning of the next delimiter, where a part has no content.
        self._rest, self._done = self._rest[end + len(_LINE_END) :], len(_LINE_END)
        yield PartBegan(headers)


def _read_fields(block: bytes) -> Mapping[str, str]:
    fields: dict[str, str] = {}
    for line in _FOLD.sub(b" ", block).split(_LINE_END):
        field = _FIELD.fullmatch(line)
        if field is not None:
            name, value = (text.decode("latin-1").strip() for text in field.groups())
            fields[name.lower()] = value
        elif line:
            raise BodyMalformed("A header of a part is malformed")
    return fields
