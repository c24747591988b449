from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from sqlmodel import select

from core.database import Database
from core.errors import NodeError
from core.tables.instances import InstanceRow
from core.tables.quarantine import QuarantineRow
from dicom_node.errors import (
    FileInvalid,
    InvalidInstance,
    ObjectTooLarge,
    StorageAway,
    StorageFull,
    StudyMismatch,
    UnsupportedSOPClass,
)
from dicom_node.storage.archive import Archive
from dicom_node.storage.digest_key import digest_key
from dicom_node.storage.incoming_file import IncomingFile
from dicom_node.storage.records import IngestOutcome
from tests.builders.encoded_instance import (
    as_file,
    build_instance,
    encode_dataset,
    encode_instance,
)

SYNTAXES = [
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
]


def take_in(
    archive: Archive, fragments: Iterable[bytes], study: str | None = None
) -> IngestOutcome:
    file = IncomingFile(archive, "clinic", study)
    try:
        for fragment in fragments:
            file.write(fragment)
        return file.keep()
    finally:
        file.discard()


def by_bytes(content: bytes, step: int = 1) -> list[bytes]:
    return [content[begin : begin + step] for begin in range(0, len(content), step)]


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("step", [1, 100, 1 << 20])
def test_file_is_kept_as_received(
    archive: Archive, database: Database, syntax: str, step: int
) -> None:
    encoded = encode_instance(syntax)

    outcome = take_in(archive, by_bytes(as_file(encoded), step))

    assert archive.storage.read(digest_key(outcome.digest)).endswith(encoded.data_set)
    with database.reading() as session:
        [row] = session.exec(select(InstanceRow)).all()
    assert (row.id, row.transfer_syntax_uid) == (outcome.instance_key, syntax)
    assert (row.calling_ae_title, row.size_bytes) == ("clinic", len(encoded.data_set))


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_only_the_study_asked_for_is_taken(archive: Archive, syntax: str) -> None:
    file = as_file(encode_instance(syntax))

    with pytest.raises(StudyMismatch):
        take_in(archive, by_bytes(file, 300), study="1.2.3.2")
    assert files_below(archive.storage.root) + files_below(archive.quarantine.root) == []

    assert take_in(archive, by_bytes(file, 300), study="1.2.3.1").is_new


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_the_study_is_found_behind_any_amount_of_private_data(
    archive: Archive, syntax: str
) -> None:
    # Private data of group 0019 stand before the study's UID in group 0020.
    padded = with_private_data(syntax, 2 << 20)

    with pytest.raises(StudyMismatch):
        take_in(archive, by_bytes(padded, 1 << 20), study="1.2.3.2")

    assert take_in(archive, [padded], study="1.2.3.1").is_new


def with_private_data(syntax: str, length: int) -> bytes:
    dataset = build_instance()
    dataset.private_block(0x0019, "MAKER", create=True).add_new(0x01, "OB", b"p" * length)
    encoded = encode_instance(syntax)
    return as_file(replace(encoded, data_set=encode_dataset(dataset, syntax)))


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", FileInvalid),
        (b"no DICOM file at all" * 20, FileInvalid),
        (as_file(encode_instance())[:200], FileInvalid),
        (as_file(encode_instance(SOPClassUID="1.2.840.10008.5.1.4.1.1.2")), UnsupportedSOPClass),
        (as_file(encode_instance())[:500], InvalidInstance),
        (as_file(replace(encode_instance(), transfer_syntax_uid="1.2.3")), InvalidInstance),
        (as_file(encode_instance(StudyInstanceUID=None)), InvalidInstance),
    ],
    ids=["empty", "text", "head cut off", "class", "cut off", "syntax", "no study"],
)
@pytest.mark.parametrize("study", [None, "1.2.3.1"])
def test_what_is_no_instance_is_refused(
    archive: Archive, content: bytes, error: type[NodeError], study: str | None
) -> None:
    with pytest.raises(error):
        take_in(archive, by_bytes(content, 100), study)


def test_what_cannot_be_understood_is_kept_aside(archive: Archive, database: Database) -> None:
    with pytest.raises(InvalidInstance):
        take_in(archive, [as_file(encode_instance())[:500]])

    with database.reading() as session:
        [row] = session.exec(select(QuarantineRow)).all()
    assert (row.code, row.calling_ae_title) == ("instance_invalid", "clinic")


def test_larger_than_the_limit_is_dropped_while_it_comes(archive: Archive) -> None:
    small = replace(archive, maximum_object_bytes=1000)
    file = IncomingFile(small, "clinic", None)
    file.write(as_file(encode_instance(PixelData=b"x" * 500)))
    assert len(files_below(archive.storage.root)) == 1

    file.write(b"x" * 500)

    assert files_below(archive.storage.root) == []
    with pytest.raises(ObjectTooLarge):
        file.keep()


def test_below_the_watermark_nothing_is_gathered(archive: Archive) -> None:
    full = replace(archive, minimum_free_bytes=1 << 62)

    with pytest.raises(StorageFull):
        take_in(full, [as_file(encode_instance())])


def test_without_its_folder_the_storage_is_away(archive: Archive) -> None:
    archive.storage.root.rename(archive.storage.root.with_name("unmounted"))

    with pytest.raises(StorageAway):
        take_in(archive, [as_file(encode_instance())])


def test_an_unfinished_file_leaves_nothing(archive: Archive) -> None:
    file = IncomingFile(archive, "clinic", None)
    file.write(as_file(encode_instance()))

    file.discard()
    file.discard()

    assert files_below(archive.storage.root) + files_below(archive.quarantine.root) == []
