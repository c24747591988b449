"""The body of a store request: what its headers announce, and its bytes, a batch at a time."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from time import monotonic
from typing import Final

from api.dicomweb.media_types import DICOM, MULTIPART_RELATED, parse_media_type
from api.dicomweb.multipart import MultipartReader
from api.dicomweb.parts import PartReader, SinglePart
from api.errors import BodyStalled, MediaTypeUnsupported
from core.pace import Pace

#: Held in memory for one request; a file system likes no smaller pieces.
BATCH_BYTES: Final = 1 << 20
#: Silence in the middle of a body, in all of it where it hardly grows, after which the request is
#: given up.
STALL_SECONDS: Final = 60.0


def part_reader(headers: Mapping[str, str]) -> PartReader:
    """Return what takes the announced body apart (PS3.18 10.5.1, RFC 2387).

    Raises
    ------
    MediaTypeUnsupported
        If it is neither multipart/related of application/dicom nor one application/dicom.
    BodyMalformed
        If it is the first, without a boundary.
    """
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise MediaTypeUnsupported
    media_type = parse_media_type(headers.get("content-type", ""))
    if media_type.name == DICOM:
        return SinglePart()
    root = parse_media_type(media_type.parameters.get("type", DICOM))
    if media_type.name != MULTIPART_RELATED or root.name != DICOM:
        raise MediaTypeUnsupported
    return MultipartReader(media_type.parameters.get("boundary", ""))


async def batches(
    chunks: AsyncIterator[bytes], stall_seconds: float = STALL_SECONDS
) -> AsyncIterator[bytes]:
    """Yield the body in batches; the client waits while a batch is dealt with.

    Raises
    ------
    BodyStalled
        If nothing comes for `stall_seconds`, or it trickles.
    """
    batch, pace = bytearray(), Pace(stall_seconds)
    while (chunk := await _next(chunks, pace, stall_seconds)) is not None:
        batch += chunk
        if len(batch) >= BATCH_BYTES:
            yield bytes(batch)
            batch.clear()
    if batch:
        yield bytes(batch)


async def _next(chunks: AsyncIterator[bytes], pace: Pace, seconds: float) -> bytes | None:
    asked = monotonic()
    try:
        async with asyncio.timeout(min(seconds, pace.left_seconds)):
            chunk = await anext(chunks, None)
    except TimeoutError:
        raise BodyStalled from None
    pace.count(len(chunk or b""), monotonic() - asked)
    return chunk
