"""A crowd of callers that may not come in, and a device that may."""

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sqlmodel import func, select

from core.database import Database
from core.settings import Settings
from core.tables.instances import InstanceRow
from dicom_node.peers import add_peer, list_refused_callers
from dicom_node.scu.store import send
from dicom_node.statuses import Status
from tests.builders.encoded_instance import as_file, encode_instance
from tests.fixtures.dicom_server import DEVICE
from tests.integration.test_store_killed import receiver

STRANGERS = 300
ROUNDS, INSTANCES = 4, 3


@contextmanager
def crowd(port: int) -> Generator[None]:
    """Let strangers call without end; half of them were refused when the block begins."""
    command = [sys.executable, "-m", "tests.fixtures.crowd", str(port), str(STRANGERS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "refused\n"
            yield
            assert process.poll() is None
        finally:
            process.kill()


def test_a_crowd_of_strangers_keeps_no_listed_device_out(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    with database.transaction() as session:
        add_peer(session, DEVICE)
    paths = [tmp_path / f"{number}.dcm" for number in range(ROUNDS * INSTANCES)]
    for number, path in enumerate(paths):
        path.write_bytes(as_file(encode_instance(SOPInstanceUID=f"1.2.3.1.1.{number}")))

    with receiver(settings) as (_, peer), crowd(peer.port):
        # An association of its own each time: that is what the crowd stands in the way of.
        statuses = [
            result.status
            for start in range(0, len(paths), INSTANCES)
            for result in send(paths[start : start + INSTANCES], peer, DEVICE)
        ]

    assert statuses == [Status.SUCCESS] * len(paths)
    with database.reading() as session:
        kept = session.exec(select(func.count()).select_from(InstanceRow)).one()
        strangers = list_refused_callers(session)
    assert kept == len(paths)
    assert len(strangers) >= STRANGERS // 2
