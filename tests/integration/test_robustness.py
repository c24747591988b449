from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
from pydicom.uid import ExplicitVRLittleEndian
from sqlmodel import func, select

from core.database import Database
from core.errors import NodeError
from core.settings import Settings
from core.tables.instances import InstanceRow
from core.tables.jobs import JobRow
from core.tables.quarantine import QuarantineRow
from dicom_node.scu.echo import echo
from dicom_node.scu.store import send
from dicom_node.statuses import Status
from dicom_node.storage.accept_list import ACCEPTED_SOP_CLASSES, OPHTHALMIC_TOMOGRAPHY
from dicom_node.storage.ingest import ingest
from dicom_node.storage.part10 import EncodedInstance
from tests.builders.encoded_instance import encode_instance
from tests.builders.odd_file import odd_instance
from tests.fixtures.dicom_server import DEVICE, Node, running_node
from tests.fixtures.raw_peer import raw_peer

#: For one file of at most 300 kB, on a busy machine.
SECONDS_PER_FILE = 10.0
#: Whole objects of a class we take.
KEPT = {
    "JPEG-lossy.dcm",
    "JPEG2000-embedded-sequence-delimiter.dcm",
    "SC_rgb_jpeg_dcmtk.dcm",
    "SC_rgb_rle_2frame.dcm",
    "SC_rgb_small_odd.dcm",
    "SC_ybr_full_422_uncompressed.dcm",
    "liver_1frame.dcm",
}
#: Other content under a UID that one of those has.
CONFLICTING = {"JPEG2000.dcm", "JPGExtended.dcm", "SC_rgb_small_odd_big_endian.dcm"}
#: Without a patient, without a UID, cut off, or no data set at all.
NOT_UNDERSTOOD = {
    "ExplVR_BigEnd.dcm",
    "ExplVR_BigEndNoMeta.dcm",
    "ExplVR_LitEndNoMeta.dcm",
    "GDCMJ2K_TextGBR.dcm",
    "JPEGLSNearLossless_08.dcm",
    "SC_jpeg_no_color_transform.dcm",
    "SC_rgb_jls_lossy_line.dcm",
    "UN_sequence.dcm",
    "empty_charset_LEI.dcm",
    "image_dfl",
    "image_dfl.dcm",
    "meta_missing_tsyntax.dcm",
    "nested_priv_SQ.dcm",
    "no_meta.dcm",
    "no_meta_group_length.dcm",
    "priv_SQ.dcm",
    "reportsi.dcm",
    "rtplan_truncated.dcm",
    "test-SR.dcm",
}


@pytest.fixture
def node(settings: Settings, database: Database) -> Iterator[Node]:
    with running_node(settings, database) as running:
        yield running


@pytest.fixture
def odd_files(shared_data: Path) -> list[Path]:
    folder = shared_data / "robustness"
    files = [p for name in ("dicomParser", "pydicom") for p in sorted((folder / name).iterdir())]
    assert len(files) == 47
    return files


def count(database: Database, table: type) -> int:
    with database.reading() as session:
        return session.exec(select(func.count()).select_from(table)).one()


# A sender that reads broken file meta information may warn about what it finds there.
@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_every_odd_file_sent_has_an_outcome_and_the_node_lives(
    node: Node, odd_files: list[Path]
) -> None:
    start = monotonic()

    results = list(send(odd_files, node.address, DEVICE))

    assert sorted(result.path for result in results) == sorted(odd_files)
    assert monotonic() - start < SECONDS_PER_FILE * len(odd_files)
    kept = sum(result.status == 0 for result in results)
    refused = [r for r in results if r.status not in {0, None}]
    assert all(result.message for result in results if result.status != 0)
    assert kept == count(node.database, InstanceRow)
    # `image_dfl` is there under two names, and kept aside once.
    assert len(refused) - 1 == count(node.database, QuarantineRow)
    assert min(kept, len(refused)) > 0
    assert count(node.database, JobRow) == 0
    assert echo(node.address, DEVICE) < SECONDS_PER_FILE


def expected_status(name: str, sop_class_uid: str) -> int | None:
    """Return what a file is answered under its own class; None where that is not negotiated."""
    if sop_class_uid not in ACCEPTED_SOP_CLASSES:
        return None
    if name in CONFLICTING:
        return Status.INSTANCE_CONFLICT
    return Status.SUCCESS if name in KEPT else Status.CANNOT_UNDERSTAND


def store_raw(node: Node, encoded: EncodedInstance) -> int | None:
    """Store bytes as they are; None where their class is not taken."""
    with raw_peer(node.port) as peer:
        contexts = {1: (encoded.sop_class_uid, encoded.transfer_syntax_uid)}
        if not peer.associate(contexts=contexts):
            return None
        status = peer.store(encoded)
        peer.release()
    return status


def test_every_odd_file_sent_as_it_is_gets_its_status(node: Node, odd_files: list[Path]) -> None:
    sent = [(path.name, odd_instance(path)) for path in odd_files]

    statuses = {name: store_raw(node, encoded) for name, encoded in sent}

    assert statuses == {
        name: expected_status(name, encoded.sop_class_uid) for name, encoded in sent
    }
    assert count(node.database, InstanceRow) == len(KEPT)
    assert count(node.database, JobRow) == 0
    assert store_raw(node, encode_instance()) == Status.SUCCESS


def test_every_odd_file_sent_as_a_scan_gets_its_status(node: Node, odd_files: list[Path]) -> None:
    sent = {path.name: odd_instance(path, OPHTHALMIC_TOMOGRAPHY) for path in odd_files}

    statuses = {name: store_raw(node, encoded) for name, encoded in sent.items()}

    mismatch, not_understood = Status.DATA_SET_DOES_NOT_MATCH_SOP_CLASS, Status.CANNOT_UNDERSTAND
    assert statuses == {
        name: not_understood if name in NOT_UNDERSTOOD else mismatch for name in sent
    }
    assert (count(node.database, InstanceRow), count(node.database, JobRow)) == (0, 0)
    assert store_raw(node, encode_instance()) == Status.SUCCESS


def test_every_odd_file_as_raw_bytes_is_refused_or_kept(node: Node, odd_files: list[Path]) -> None:
    for number, path in enumerate(odd_files):
        encoded = EncodedInstance(
            data_set=path.read_bytes(),
            transfer_syntax_uid=ExplicitVRLittleEndian,
            sop_class_uid=OPHTHALMIC_TOMOGRAPHY,
            sop_instance_uid=f"1.2.3.{number}",
        )
        start = monotonic()
        with pytest.raises(NodeError):
            ingest(node.archive, encoded)
        assert monotonic() - start < SECONDS_PER_FILE

    # Two of the files are the same bytes under two names.
    assert count(node.database, QuarantineRow) == len(odd_files) - 1
    assert (count(node.database, InstanceRow), count(node.database, JobRow)) == (0, 0)


def test_a_truncated_file_does_not_stop_the_next(
    node: Node, shared_data: Path, tmp_path: Path
) -> None:
    scan = shared_data / "oct" / "spectralis_circle_od" / "bscan_opt.dcm"
    cut = tmp_path / "cut.dcm"
    cut.write_bytes(scan.read_bytes()[:1500])

    first, second = send([cut, scan], node.address, DEVICE)

    assert (first.status, second.status) == (0xC000, 0)
