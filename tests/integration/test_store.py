import subprocess
from collections.abc import Callable, Iterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)
from pynetdicom.dsutils import split_dataset
from sqlalchemy import text
from sqlmodel import func, select

from core.database import Database
from core.settings import Settings
from core.tables.instances import InstanceRow
from core.tables.jobs import JobRow
from core.tables.quarantine import QuarantineRow
from dicom_node.scu.store import SendResult, send
from dicom_node.statuses import Status
from dicom_node.storage.retrieve import read_instance
from dicom_node.storage.unfinished import Unfinished
from tests.builders.encoded_instance import as_file, encode_instance
from tests.fixtures.dicom_server import DEVICE, Node, running_node


@pytest.fixture
def node(settings: Settings, database: Database) -> Iterator[Node]:
    with running_node(settings, database) as running:
        yield running


def send_one(node: Node, folder: Path, content: bytes) -> SendResult:
    path = folder / "instance.dcm"
    path.write_bytes(content)
    [result] = send([path], node.address, DEVICE)
    return result


def kept_data_set(node: Node, sop_instance_uid: str) -> bytes:
    with node.database.reading() as session:
        file = read_instance(session, node.archive.storage, sop_instance_uid)
    offset = BytesIO(file)
    meta = dcmread(offset, stop_before_pixels=True).file_meta
    # Preamble, prefix, the group length element itself, then the group.
    return file[128 + 4 + 12 + meta.FileMetaInformationGroupLength :]


def test_storescu_of_a_real_scan_is_kept_as_sent(
    node: Node, need: Callable[[str], None], shared_data: Path
) -> None:
    need("storescu")
    folder = shared_data / "oct" / "spectralis_circle_od"
    scan = folder / "bscan_opt.dcm"

    sent = subprocess.run(
        ["storescu", "-v", *node.dcmtk, scan, folder / "localizer_op.dcm"],
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )

    assert (sent.stderr + sent.stdout).count("Received Store Response (Success)") == 2
    uid = dcmread(scan, stop_before_pixels=True).SOPInstanceUID
    with node.database.reading() as session:
        outcomes = session.exec(select(InstanceRow.outcome)).all()
        jobs = session.exec(select(func.count()).select_from(JobRow)).one()
        file = read_instance(session, node.archive.storage, uid)
    # What a photograph is for is decided when it is analysed, beside the scan it may belong to.
    assert (outcomes, jobs) == (["pending", "pending"], 2)
    assert dcmread(BytesIO(file)) == dcmread(scan)


def test_dcmsend_of_the_same_twice_is_kept_once(
    node: Node, need: Callable[[str], None], shared_data: Path
) -> None:
    need("dcmsend")
    scan = shared_data / "oct" / "spectralis_circle_od" / "bscan_opt.dcm"

    for _ in range(2):
        subprocess.run(["dcmsend", *node.dcmtk, scan], check=True, timeout=60)

    with node.database.reading() as session:
        counts = [
            session.exec(select(func.count()).select_from(t)).one() for t in (InstanceRow, JobRow)
        ]
    assert counts == [1, 1]


@pytest.mark.parametrize(
    "transfer_syntax_uid",
    [
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
        JPEGBaseline8Bit,
        JPEGLSLossless,
        JPEG2000Lossless,
        HTJ2KLossless,
        RLELossless,
    ],
)
def test_store_keeps_every_transfer_syntax_untouched(
    node: Node, tmp_path: Path, transfer_syntax_uid: str
) -> None:
    encoded = encode_instance(transfer_syntax_uid)

    result = send_one(node, tmp_path, as_file(encoded))

    assert result.status == Status.SUCCESS
    assert kept_data_set(node, encoded.sop_instance_uid) == encoded.data_set
    with node.database.reading() as session:
        [instance] = session.exec(select(InstanceRow)).all()
    assert instance.transfer_syntax_uid == transfer_syntax_uid
    assert instance.digest == sha256(encoded.data_set).hexdigest()


def test_store_without_patient_id_tells_the_operator(node: Node, tmp_path: Path) -> None:
    result = send_one(node, tmp_path, as_file(encode_instance(PatientID="")))

    assert result.status == Status.CANNOT_UNDERSTAND
    assert result.message == "Patient ID (0010,0020) is missing; enter it at the device."
    with node.database.reading() as session:
        assert session.exec(select(QuarantineRow.code)).all() == ["patient_id_missing"]


def test_store_of_other_content_under_the_same_uid_is_refused(node: Node, tmp_path: Path) -> None:
    send_one(node, tmp_path, as_file(encode_instance()))

    result = send_one(node, tmp_path, as_file(encode_instance(StudyDescription="changed")))

    assert result.status == Status.INSTANCE_CONFLICT
    assert kept_data_set(node, "1.2.3.1.1.1") == encode_instance().data_set


def test_store_of_another_object_than_announced_is_refused(node: Node, tmp_path: Path) -> None:
    encoded = encode_instance(announced_instance_uid="1.2.3.4.5")

    assert send_one(node, tmp_path, as_file(encoded)).status == (
        Status.DATA_SET_DOES_NOT_MATCH_SOP_CLASS
    )


def test_store_beyond_the_size_limit_is_answered_and_the_next_one_kept(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    small = settings.model_copy(update={"maximum_object_mib": 1})
    large = encode_instance(PixelData=b"\x00" * (1 << 20))
    with running_node(small, database) as node:
        refused = send_one(node, tmp_path, as_file(large))
        kept = send_one(node, tmp_path, as_file(encode_instance()))

    assert (refused.status, kept.status) == (Status.OUT_OF_RESOURCES, Status.SUCCESS)


def test_store_far_beyond_the_size_limit_is_dropped_as_it_comes(
    settings: Settings, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = settings.model_copy(update={"maximum_object_mib": 1})
    huge = encode_instance(PixelData=b"\x00" * (8 << 20))
    written = []

    def watched(unfinished: Unfinished, chunk: bytes) -> None:
        write(unfinished, chunk)
        written.append(Path(unfinished.path).stat().st_size)

    write = Unfinished.write
    monkeypatch.setattr(Unfinished, "write", watched)
    with running_node(small, database) as node:
        paths = [tmp_path / "1.dcm", tmp_path / "2.dcm"]
        paths[0].write_bytes(as_file(huge))
        paths[1].write_bytes(as_file(encode_instance(SOPInstanceUID="1.2.3.1.1.2")))
        refused, kept = send(paths, node.address, DEVICE)

    assert (refused.status, kept.status) == (Status.OUT_OF_RESOURCES, Status.SUCCESS)
    assert max(written) <= (1 << 20) + 1024
    assert list((node.archive.storage.root / ".unfinished").iterdir()) == []


def test_store_on_a_full_disk_is_answered_out_of_resources(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    # More than any disk has free: the watermark is reached from the start.
    full = settings.model_copy(update={"minimum_free_mib": 1 << 44})
    with running_node(full, database) as node:
        result = send_one(node, tmp_path, as_file(encode_instance()))

    assert result.status == Status.OUT_OF_RESOURCES
    assert result.message == "Below minimum_free_mib; free space on the disk"


def test_store_survives_an_internal_error_without_telling_the_patient(
    node: Node,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with node.database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE series RENAME COLUMN modality TO gone"))

    failed = send_one(node, tmp_path, as_file(encode_instance()))

    assert failed.status in {Status.PROCESSING_FAILURE, Status.OUT_OF_RESOURCES}
    # Where it goes depends on whether a test before this one set up the logs of a role.
    written = capfd.readouterr()
    logged = written.out + written.err + caplog.text
    assert "store_" in logged
    assert "Anna" not in logged
    with node.database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE series RENAME COLUMN gone TO modality"))
    assert send_one(node, tmp_path, as_file(encode_instance())).status == Status.SUCCESS


def test_split_files_are_what_pynetdicom_sends(tmp_path: Path) -> None:
    # Guards the helper above: the data set begins where pynetdicom believes it does.
    encoded = encode_instance()
    path = tmp_path / "instance.dcm"
    path.write_bytes(as_file(encoded))

    _, offset = split_dataset(path)

    assert path.read_bytes()[offset:] == encoded.data_set
