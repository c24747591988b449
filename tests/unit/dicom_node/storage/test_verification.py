from dataclasses import replace
from pathlib import Path
from shutil import rmtree

import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian
from sqlmodel import select

from core.errors import NodeError
from core.tables.instances import InstanceRow
from dicom_node.errors import StorageAway
from dicom_node.statuses import FailureReason
from dicom_node.storage.accept_list import OPHTHALMIC_TOMOGRAPHY
from dicom_node.storage.archive import Archive
from dicom_node.storage.commitments import CommitmentRequest, InstanceReference
from dicom_node.storage.duplicate_policy import DuplicatePolicy
from dicom_node.storage.ingest import ingest
from dicom_node.storage.verification import CommitmentResult, FailedReference, verify
from tests.builders.encoded_instance import encode_instance

UID = "1.2.3.1.1.1"
KEPT = InstanceReference(OPHTHALMIC_TOMOGRAPHY, UID)


class StopError(NodeError):
    """Enough."""


def check(archive: Archive, *instances: InstanceReference, beat=lambda: None) -> CommitmentResult:
    request = CommitmentRequest("DEVICE1", "", "1.2.3", instances)
    return verify(archive.database, archive.storage, request, beat)


def kept_path(archive: Archive) -> Path:
    with archive.database.reading() as session:
        return archive.storage.root / session.exec(select(InstanceRow)).one().storage_key


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_what_is_kept_is_committed_in_every_encoding(archive: Archive, syntax: str) -> None:
    ingest(archive, encode_instance(syntax))

    assert check(archive, KEPT) == CommitmentResult("1.2.3", (KEPT,), ())


@pytest.mark.parametrize("place", [0, 128, 132, 140, -1, -200])
def test_a_damaged_byte_is_found_wherever_it_matters(archive: Archive, place: int) -> None:
    """Of the file meta information only what leads to the data set matters; the rest is ours."""
    ingest(archive, encode_instance(PixelData=b"\x55" * 1000))
    content = bytearray(kept_path(archive).read_bytes())
    content[place] ^= 0x10
    kept_path(archive).write_bytes(content)

    result = check(archive, KEPT)

    is_preamble = place == 0
    assert bool(result.committed) == is_preamble
    if not is_preamble:
        assert result.failed == (FailedReference(KEPT, FailureReason.PROCESSING_FAILURE),)


@pytest.mark.parametrize("content", [b"", b"\0" * 128 + b"DICM"])
def test_an_emptied_file_is_not_committed(archive: Archive, content: bytes) -> None:
    ingest(archive, encode_instance())
    kept_path(archive).write_bytes(content)

    assert check(archive, KEPT).failed == (FailedReference(KEPT, FailureReason.PROCESSING_FAILURE),)


def test_more_instances_than_one_statement_asks_for_are_all_looked_at(archive: Archive) -> None:
    ingest(archive, encode_instance())
    missing = [InstanceReference(OPHTHALMIC_TOMOGRAPHY, f"1.2.9.{n}") for n in range(1200)]

    result = check(archive, *missing, KEPT)

    assert result.committed == (KEPT,)
    assert [failed.instance for failed in result.failed] == missing
    assert {failed.reason for failed in result.failed} == {FailureReason.NO_SUCH_OBJECT_INSTANCE}


def test_a_storage_that_is_away_is_no_answer(archive: Archive) -> None:
    ingest(archive, encode_instance())
    rmtree(archive.storage.root)

    with pytest.raises(StorageAway):
        check(archive, KEPT)


def test_verification_stops_when_it_is_told_to(archive: Archive) -> None:
    ingest(archive, encode_instance(PixelData=b"\0" * (3 << 20)))
    beats = []

    def beat() -> None:
        beats.append(1)
        if len(beats) == 3:
            raise StopError

    with pytest.raises(StopError):
        check(archive, KEPT, beat=beat)


@pytest.mark.parametrize(
    ("policy", "first", "second", "asking", "is_committed"),
    [
        ("keep_both", "DEVICE1", "DEVICE2", "DEVICE1", True),
        ("keep_both", "DEVICE1", "DEVICE2", "DEVICE2", False),
        ("keep_both", "DEVICE1", "DEVICE1", "DEVICE1", False),
        ("replace", "DEVICE1", "DEVICE2", "DEVICE1", False),
        ("replace", "DEVICE1", "DEVICE2", "DEVICE2", True),
        ("replace", "DEVICE1", "DEVICE1", "DEVICE1", True),
    ],
)
def test_nobody_is_told_that_content_which_gave_way_is_committed(
    archive: Archive, policy: str, first: str, second: str, asking: str, is_committed: bool
) -> None:
    settled = replace(archive, duplicates=DuplicatePolicy(policy))
    encoded = encode_instance()
    ingest(settled, replace(encoded, calling_ae_title=first))
    other = encode_instance(StudyDescription="other")
    ingest(settled, replace(other, calling_ae_title=second))

    request = CommitmentRequest(asking, "", "1.2.3", (KEPT,))
    result = verify(archive.database, archive.storage, request, lambda: None)

    assert bool(result.committed) == is_committed
    assert len(result.committed) + len(result.failed) == 1
