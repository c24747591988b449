import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from pydicom import dcmread
from sqlmodel import col, select

from core.database import Database
from core.settings import Settings
from core.tables.changes import ChangeRow
from core.tables.instances import InstanceRow
from core.tables.jobs import JobRow
from dicom_node.calling_errors import AssociationRejected, PeerUnreachable
from dicom_node.peers import PeerAddress, add_peer
from dicom_node.scu.store import send
from dicom_node.storage.bytes import Storage
from dicom_node.storage.opening import open_storage
from tests.builders.encoded_instance import as_file, encode_instance
from tests.fixtures.dicom_server import DEVICE

INSTANCES = 120
#: Seconds after the first answer; where in a store that falls, the machine decides.
MOMENTS = (0.0, 0.031, 0.087, 0.143, 0.212)


@contextmanager
def receiver(
    settings: Settings, *options: str
) -> Generator[tuple[subprocess.Popen[str], PeerAddress]]:
    """Run a receiver in its own process; whatever is left of it dies at the end."""
    command = [
        sys.executable,
        "-m",
        "tests.fixtures.receiver",
        settings.model_dump_json(),
        *options,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            yield process, PeerAddress("ARCUATE", "127.0.0.1", port)
        finally:
            process.kill()


def write_files(folder: Path) -> list[Path]:
    paths = []
    for number in range(INSTANCES):
        study = f"1.2.3.{number % 5 + 1}"
        encoded = encode_instance(
            PatientID=f"P{number % 5}",
            StudyInstanceUID=study,
            SeriesInstanceUID=f"{study}.1",
            SOPInstanceUID=f"{study}.1.{number}",
            PixelData=bytes([number]) * 60_000,
        )
        path = folder / f"{number:03}.dcm"
        path.write_bytes(as_file(encoded))
        paths.append(path)
    return paths


def send_until_it_dies(
    paths: Iterable[Path], peer: PeerAddress, acknowledged: list[Path], enough: threading.Event
) -> None:
    try:
        for result in send(paths, peer, DEVICE):
            if result.status == 0:
                acknowledged.append(result.path)
                enough.set()
    except (PeerUnreachable, AssociationRejected):
        return
    finally:
        enough.set()


def assert_kept(settings: Settings, database: Database, acknowledged: Sequence[Path]) -> None:
    """Every acknowledged instance is whole; every row has its bytes, its job and its change."""
    storage = open_storage(settings)
    with database.reading() as session:
        rows = {row.sop_instance_uid: row for row in session.exec(select(InstanceRow)).all()}
        jobs = sorted(int(subject) for subject in session.exec(select(JobRow.subject)).all())
        changes = session.exec(select(ChangeRow).order_by(col(ChangeRow.number))).all()
    for path in acknowledged:
        assert str(dcmread(path, stop_before_pixels=True).SOPInstanceUID) in rows
    for row in rows.values():
        data_set = storage.read(row.storage_key)[-row.size_bytes :]
        assert sha256(data_set).hexdigest() == row.digest
    assert jobs == sorted(row.id or 0 for row in rows.values())
    assert [change.number for change in changes] == list(range(1, len(changes) + 1))
    assert {change.subject for change in changes} == set(rows)


def kill_while_sending(settings: Settings, database: Database, paths: Sequence[Path]) -> list[Path]:
    """Kill a receiver at each of the moments while it is sent to; return what was acknowledged.

    After each kill everything acknowledged must be kept, and after a last push everything.
    """
    with database.transaction() as session:
        add_peer(session, DEVICE)
    acknowledged: list[Path] = []
    for moment in MOMENTS:
        enough = threading.Event()
        waiting = [path for path in paths if path not in acknowledged]
        with receiver(settings) as (process, peer):
            sender = threading.Thread(
                target=send_until_it_dies, args=(waiting, peer, acknowledged, enough)
            )
            sender.start()
            assert enough.wait(timeout=60)
            threading.Event().wait(moment)
            process.send_signal(signal.SIGKILL)
            sender.join(timeout=60)
        assert_kept(settings, database, acknowledged)
    with receiver(settings) as (_, peer):
        assert all(result.status == 0 for result in send(paths, peer, DEVICE))
    assert_kept(settings, database, paths)
    return acknowledged


def test_nothing_acknowledged_is_lost_whenever_the_receiver_is_killed(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    acknowledged = kill_while_sending(settings, database, write_files(tmp_path))

    assert 0 < len(acknowledged) < INSTANCES
    unfinished = Storage(settings.storage).root / ".unfinished"
    assert list(unfinished.iterdir()) == []


def test_killed_between_bytes_and_commit_nothing_half_kept_is_visible(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    with database.transaction() as session:
        add_peer(session, DEVICE)
    path = tmp_path / "instance.dcm"
    path.write_bytes(as_file(encode_instance()))

    with receiver(settings, "--die-before-commit") as (process, peer):
        [result] = send([path], peer, DEVICE)
        assert process.wait(timeout=60) == -signal.SIGKILL

    assert result.status is None
    assert len(list(Storage(settings.storage).root.rglob("*.dcm"))) == 1
    assert_kept(settings, database, [])
    with receiver(settings) as (_, peer):
        [again] = send([path], peer, DEVICE)
    assert again.status == 0
    assert_kept(settings, database, [path])
