"""Retention of a node in processes: killed anywhere, and while devices store the same objects."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import col, func, select

from arcuate.waiting import wait_until
from core.clock import utc_now
from core.database import Database
from core.settings import Settings
from core.tables.changes import ChangeKind, ChangeRow
from core.tables.discarded_files import DiscardedFileRow
from core.tables.instances import InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from dicom_node.scu.store import send
from dicom_node.storage.archive import Archive
from tests.builders.encoded_instance import as_file
from tests.builders.kept_study import (
    assert_rows_and_files_agree,
    encode_raw,
    keep_raw,
    keep_scan,
    path,
)
from tests.builders.received import open_test_archive
from tests.conftest import REPOSITORY
from tests.fixtures.dicom_server import DEVICE, Node, running_node

LONG_AGO = utc_now() - timedelta(days=900)
STUDIES = 40
#: How many files are gone when the process is killed; where exactly, the machine decides.
MOMENTS = (0, 1, 7, 19)


@pytest.fixture
def archive(settings: Settings, database: Database) -> Archive:
    return open_test_archive(settings, database)


@pytest.fixture
def node(settings: Settings, database: Database) -> Iterator[Node]:
    with running_node(settings, database) as running:
        yield running


def start(settings: Settings, *words: str) -> subprocess.Popen[str]:
    environment = {name: v for name, v in os.environ.items() if not name.startswith("ARCUATE_")}
    ours = {
        "ARCUATE_HOME": str(settings.home),
        "ARCUATE_DATABASE_URL": settings.database_url,
        "ARCUATE_RETENTION_DAYS": "30",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "arcuate", *words],
        cwd=REPOSITORY,
        env=environment | ours,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def files_left(archive: Archive) -> int:
    return len(list(archive.storage.root.glob("[0-9a-f]/*.dcm")))


def counts(database: Database) -> tuple[int, int, int]:
    """Return how many instances are removed, how often that was told, how many files are due."""
    with database.reading() as session:
        removed = col(InstanceRow.bytes_removed_at).is_not(None)
        return (
            session.exec(select(func.count()).select_from(InstanceRow).where(removed)).one(),
            session.exec(
                select(func.count())
                .select_from(ChangeRow)
                .where(col(ChangeRow.kind) == ChangeKind.BYTES_REMOVED)
            ).one(),
            session.exec(select(func.count()).select_from(DiscardedFileRow)).one(),
        )


@pytest.mark.parametrize("moment", MOMENTS)
def test_run_that_is_killed_is_ended_by_the_next(
    archive: Archive, database: Database, settings: Settings, moment: int
) -> None:
    for number in range(STUDIES):
        keep_raw(archive, str(number), LONG_AGO)
    held = keep_scan(archive, "900", LONG_AGO)

    with start(settings, "retention") as process:
        begun = wait_until(
            lambda: files_left(archive) <= STUDIES + 1 - moment and counts(database)[0] > 0, 60.0
        )
        process.send_signal(signal.SIGKILL)
    assert begun

    # Killed between two rows, every row that claims a file has it.
    with database.reading() as session:
        for row in session.exec(select(InstanceRow)).all():
            if row.bytes_removed_at is None:
                assert (archive.storage.root / row.storage_key).is_file()
    with start(settings, "retention", "--json") as process:
        process.communicate()
    assert process.returncode == 0
    assert counts(database) == (STUDIES, STUDIES, 0)
    assert path(archive, held).is_file()
    assert_rows_and_files_agree(archive)


def test_deliver_removes_what_is_due_and_stops_when_told(
    archive: Archive, database: Database, settings: Settings
) -> None:
    due = keep_raw(archive, "1", LONG_AGO)

    with start(settings, "deliver") as process:
        gone = wait_until(lambda: not path(archive, due).exists(), 60.0)
        job_waits = wait_until(lambda: _retain_status(database) == [JobStatus.QUEUED], 60.0)
        process.terminate()
        process.communicate()

    assert (gone, job_waits, process.returncode) == (True, True, 0)


def _retain_status(database: Database) -> list[str]:
    with database.reading() as session:
        statement = select(JobRow.status).where(col(JobRow.kind) == JobKind.RETAIN)
        return list(session.exec(statement).all())


def test_objects_stored_again_while_they_are_removed_are_whole(
    node: Node, settings: Settings, tmp_path: Path
) -> None:
    """Devices store on real associations what processes remove: each Success is kept."""
    archive = node.archive
    sent = []
    for number in range(20):
        keep_raw(archive, str(number), LONG_AGO)
        file = tmp_path / f"{number}.dcm"
        file.write_bytes(as_file(encode_raw(str(number))))
        sent.append(file)
    statuses: list[int | None] = []

    def store() -> None:
        statuses.extend(result.status for result in send(sent, node.address, DEVICE))

    removers = [start(settings, "retention") for _ in range(2)]
    devices = [threading.Thread(target=store) for _ in range(3)]
    # Not before the first is removed, so that stores and removals meet.
    wait_until(lambda: counts(node.database)[1] > 0, 60.0)
    for device in devices:
        device.start()
    for device in devices:
        device.join()
    for process in removers:
        process.communicate()

    assert statuses == [0] * 60
    assert [process.returncode for process in removers] == [0, 0]
    # Stored again today, so none of them may be gone now.
    assert counts(node.database)[0] == 0
    assert counts(node.database)[2] == 0
    for number, file in enumerate(sent):
        row_path = archive.storage.root / _storage_key(node.database, f"1.2.{number}.1.1")
        assert row_path.read_bytes().endswith(encode_raw(str(number)).data_set)
        assert file.stat().st_size == row_path.stat().st_size
    assert_rows_and_files_agree(archive)


def _storage_key(database: Database, uid: str) -> str:
    with database.reading() as session:
        statement = select(InstanceRow.storage_key)
        return session.exec(statement.where(col(InstanceRow.sop_instance_uid) == uid)).one()
