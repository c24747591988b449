import asyncio
from collections.abc import AsyncIterator, Iterable
from itertools import count

import pytest

from api.dicomweb.multipart import MultipartReader
from api.dicomweb.parts import PartBegan, PartContent, PartEnded, SinglePart
from api.dicomweb.store_body import BATCH_BYTES, batches, part_reader
from api.errors import BodyMalformed, BodyStalled, MediaTypeUnsupported


async def arriving(chunks: Iterable[bytes], stalls: bool = False) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
    if stalls:
        await asyncio.Event().wait()


async def gather(chunks: AsyncIterator[bytes], stall_seconds: float = 60) -> list[bytes]:
    return [batch async for batch in batches(chunks, stall_seconds)]


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ('multipart/related; type="application/dicom"; boundary=b', MultipartReader),
        ("MULTIPART/related; Boundary=b; Type=Application/DICOM", MultipartReader),
        ("multipart/related; boundary=b", MultipartReader),
        ("application/dicom", SinglePart),
        ("Application/dicom; transfer-syntax=1.2.840.10008.1.2.1", SinglePart),
    ],
)
def test_a_body_of_dicom_files_is_read(content_type: str, kind: type) -> None:
    assert isinstance(part_reader({"content-type": content_type}), kind)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": ""},
        {"content-type": "application/json"},
        {"content-type": "multipart/form-data; boundary=b"},
        {"content-type": 'multipart/related; type="application/dicom+json"; boundary=b'},
        {"content-type": "application/dicom", "content-encoding": "gzip"},
    ],
)
def test_any_other_body_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(MediaTypeUnsupported):
        part_reader(headers)


@pytest.mark.parametrize("boundary", ["", "; boundary=", '; boundary="b "', "; boundary*=''b"])
def test_a_multipart_body_needs_a_boundary(boundary: str) -> None:
    with pytest.raises(BodyMalformed):
        part_reader({"content-type": f"multipart/related; type=application/dicom{boundary}"})


def test_a_single_part_begins_with_its_first_byte() -> None:
    reader = SinglePart()

    events = [*reader.feed(b"a"), *reader.feed(b"b"), *reader.close()]

    assert events == [PartBegan({}), PartContent(b"a"), PartContent(b"b"), PartEnded()]
    assert list(SinglePart().close()) == []


def test_a_body_comes_in_batches_and_loses_nothing() -> None:
    chunks = [bytes([number]) * 65_536 for number in range(50)]

    received = asyncio.run(gather(arriving(chunks)))

    assert b"".join(received) == b"".join(chunks)
    assert [len(batch) for batch in received[:-1]] == [BATCH_BYTES] * 3
    assert asyncio.run(gather(arriving([]))) == []


def test_a_body_that_stops_coming_is_given_up() -> None:
    with pytest.raises(BodyStalled):
        asyncio.run(gather(arriving([b"a"], stalls=True), stall_seconds=0.01))


def test_a_body_that_trickles_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = count(0.0, 20.0)
    monkeypatch.setattr("api.dicomweb.store_body.monotonic", lambda: next(moments))

    with pytest.raises(BodyStalled):
        asyncio.run(gather(trickling(), stall_seconds=60))


async def trickling() -> AsyncIterator[bytes]:
    while True:
        yield b"a"
        await asyncio.sleep(0)
