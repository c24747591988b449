"""Answers that are sent while they are read: pieces of files in parts, never a whole volume."""

import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Protocol

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from dicom_node.errors import ObjectUnreadable
from dicom_node.storage.kept_object import Span

#: Read and sent at a time, for each client.
CHUNK_BYTES: Final = 1 << 20
#: Asked again each time, answered 304: a study may grow, and other content may take the place of an
#: instance, by which a wrong eye is corrected.
_CACHE: Final = "private, no-cache"
_VARY: Final = "Accept, Authorization, X-API-Key, Cookie"


class Readable(Protocol):
    """A file that can be read from anywhere."""

    def seek(self, offset: int, /) -> int:
        """Go there."""
        ...

    def read(self, length: int, /) -> bytes:
        """Read from there."""
        ...


@dataclass(frozen=True)
class Part:
    """A part of a multipart body: what its headers say, and its content.

    Attributes
    ----------
    length
        Of the content; None where it is not known before.
    """

    content_type: str
    location: str
    content: Iterable[bytes]
    length: int | None = None


def span_of(opening: AbstractContextManager[Readable], span: Span) -> Iterator[bytes]:
    """Yield a piece of a file, a chunk at a time; it is opened when the first is wanted."""
    with opening as file:
        file.seek(span.start)
        left = span.length
        while left > 0:
            chunk = file.read(min(left, CHUNK_BYTES))
            if not chunk:
                raise ObjectUnreadable("A kept object was cut short")
            left -= len(chunk)
            yield chunk


def multipart(parts: Iterable[Part], kind: str, headers: Mapping[str, str]) -> Response:
    """Return a multipart/related answer (RFC 2387); its length is told where all parts tell theirs.

    Parameters
    ----------
    kind
        The media type of its parts.
    """
    boundary = secrets.token_hex(16)
    listed = list(parts) if isinstance(parts, list | tuple) else None
    told = dict(headers)
    if listed is not None and all(part.length is not None for part in listed):
        told["Content-Length"] = str(_length(listed, boundary))
    return StreamingResponse(
        _body(parts if listed is None else listed, boundary),
        media_type=f'multipart/related; type="{kind}"; boundary={boundary}',
        headers=told,
    )


def _body(parts: Iterable[Part], boundary: str) -> Iterator[bytes]:
    for part in parts:
        yield _head(part, boundary)
        yield from part.content
    yield _end(boundary)


def _length(parts: Iterable[Part], boundary: str) -> int:
    heads = sum(len(_head(part, boundary)) + (part.length or 0) for part in parts)
    return heads + len(_end(boundary))


def _head(part: Part, boundary: str) -> bytes:
    lines = [f"--{boundary}", f"Content-Type: {part.content_type}"]
    if part.length is not None:
        lines.append(f"Content-Length: {part.length}")
    lines.append(f"Content-Location: {part.location}")
    # The line end before a delimiter belongs to it; before the first it does no harm.
    return ("\r\n" + "\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def _end(boundary: str) -> bytes:
    return f"\r\n--{boundary}--\r\n".encode("ascii")


def etag(*parts: str) -> str:
    """Return the entity tag of an answer that depends on these alone."""
    return '"' + sha256("\n".join(parts).encode()).hexdigest()[:32] + '"'


def cached(tag: str) -> dict[str, str]:
    """Return the headers of an answer that may be kept by who asked."""
    return {"ETag": tag, "Cache-Control": _CACHE, "Vary": _VARY}


def unchanged(request: Request, headers: Mapping[str, str]) -> Response | None:
    """Return the answer 304 where the client has it already (RFC 9110 13.1.2)."""
    asked = request.headers.get("if-none-match", "")
    tags = {tag.strip().removeprefix("W/") for tag in asked.split(",")}
    if headers["ETag"] in tags or "*" in tags:
        return Response(status_code=304, headers=dict(headers))
    return None
