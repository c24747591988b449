from collections.abc import Iterator

import pytest

from api.dicomweb.multipart import MultipartReader
from api.dicomweb.store_request import MAXIMUM_PARTS, StoreRequest
from api.errors import BodyTooLarge
from core.database import Database
from core.settings import Settings
from dicom_node.errors import FileInvalid
from dicom_node.storage.archive import Archive
from tests.builders.encoded_instance import as_file, encode_instance
from tests.builders.received import open_test_archive


@pytest.fixture
def archive(settings: Settings, database: Database) -> Archive:
    return open_test_archive(settings, database)


@pytest.fixture
def storing(archive: Archive) -> Iterator[StoreRequest]:
    request = StoreRequest(archive, "clinic", None, MultipartReader("b"))
    yield request
    request.discard()


def part(*headers: str, content: bytes | None = None) -> bytes:
    block = "".join(f"{header}\r\n" for header in headers).encode()
    return b"--b\r\n" + block + b"\r\n" + (content or as_file(encode_instance())) + b"\r\n"


def test_an_object_is_kept_when_its_part_ends(storing: StoreRequest, archive: Archive) -> None:
    storing.feed(part()[:-2])
    assert list(archive.storage.root.rglob("*.dcm")) == []

    storing.feed(b"\r\n--b--")

    assert len(list(archive.storage.root.rglob("*.dcm"))) == 1
    assert len(storing.finish().stored) == 1


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ("Content-Type: application/dicom",),
        ("content-type: Application/DICOM; transfer-syntax=1.2.840.10008.1.2.1",),
        ("Content-Type: application/dicom", "Content-Transfer-Encoding: BINARY"),
    ],
)
def test_a_part_of_dicom_is_taken(storing: StoreRequest, headers: tuple[str, ...]) -> None:
    storing.feed(part(*headers) + b"--b--")

    assert len(storing.finish().stored) == 1


@pytest.mark.parametrize(
    "header", ["Content-Type: image/jpeg", "Content-Type: ", "Content-Transfer-Encoding: base64"]
)
def test_any_other_part_fails_alone(storing: StoreRequest, header: str) -> None:
    storing.feed(part(header) + part() + b"--b--")

    outcome = storing.finish()
    [failed] = outcome.failed
    assert (type(failed.error), len(outcome.stored)) == (FileInvalid, 1)


def test_what_a_damaged_head_says_instead_of_a_uid_is_not_repeated(storing: StoreRequest) -> None:
    file = as_file(encode_instance()).replace(b"1.2.3.1.1.1", b"Sample^Eye!")
    storing.feed(part(content=file) + b"--b--")

    [failed] = storing.finish().failed
    assert (failed.sop_class_uid, failed.sop_instance_uid) == ("", "")


def test_more_parts_than_any_request_may_bring_are_refused(storing: StoreRequest) -> None:
    storing.feed(b"--b\r\n\r\n\r\n" * MAXIMUM_PARTS)

    with pytest.raises(BodyTooLarge):
        storing.feed(b"--b\r\n\r\n\r\n--b--")
