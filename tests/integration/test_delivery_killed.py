"""A `deliver` process that is killed while it sends: exactly the reports arrive."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pynetdicom import AE, evt
from pynetdicom.events import Event
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    Comprehensive3DSRStorage,
    SecondaryCaptureImageStorage,
)

from arcuate.waiting import wait_until
from core.database import Database
from core.settings import Settings
from dicom_node.peers import add_peer
from tests.builders.received import open_test_archive
from tests.builders.sent_report import SentReports

PEER = "PEER"
PATIENCE_SECONDS = 90


class StallingPeer:
    """Takes what comes, and stalls once, at the third object, before it answers."""

    def __init__(self) -> None:
        self.kept: Counter[str] = Counter()
        self.stalled, self.go_on = threading.Event(), threading.Event()

    def store(self, event: Event) -> int:
        self.kept[str(event.request.AffectedSOPInstanceUID)] += 1
        if self.kept.total() == 3:
            self.stalled.set()
            self.go_on.wait(PATIENCE_SECONDS)
        return 0x0000

    @contextmanager
    def listening(self) -> Generator[int]:
        entity = AE(PEER)
        for uid in (Comprehensive3DSRStorage, SecondaryCaptureImageStorage):
            entity.add_supported_context(uid)
        handlers = [(evt.EVT_C_STORE, self.store)]
        server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
        assert server is not None
        try:
            yield server.socket.getsockname()[1]
        finally:
            self.go_on.set()
            entity.shutdown()


@contextmanager
def deliver(settings: Settings, log: Path) -> Generator[subprocess.Popen[bytes]]:
    """Run `arcuate deliver` until the block ends."""
    values = settings.model_dump(mode="json")
    named = {f"ARCUATE_{name.upper()}": str(value) for name, value in values.items()}
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "arcuate", "deliver"],
            env={**os.environ, **named},
            stdout=output,
            stderr=output,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        assert process.wait(timeout=60) in {0, -signal.SIGKILL}, log.read_text()[-3000:]


# Its fast relative is in tests/unit/dicom_node/delivery/test_delivering.py: what a process left.
@pytest.mark.slow
def test_killed_while_it_sends(settings: Settings, database: Database, tmp_path: Path) -> None:
    patient = settings.model_copy(
        update={"delivery_answer_seconds": 4.0, "lease_seconds": 2.0, "log_level": "info"}
    )
    reports, peer = SentReports(open_test_archive(patient, database), patient), StallingPeer()
    log = tmp_path / "log"
    with peer.listening() as port:
        with database.transaction() as session:
            add_peer(session, PEER, "127.0.0.1", port)
        reports.add("pacs", "dicom_peer", PEER, commitment="no")
        reports.keep_reports(3)
        with deliver(patient, log) as first:
            assert peer.stalled.wait(PATIENCE_SECONDS), log.read_text()
            first.kill()
            first.wait()
        peer.go_on.set()
        assert "sending" in reports.states()

        with deliver(patient, log):
            arrived = wait_until(lambda: reports.states() == ["delivered"] * 6, PATIENCE_SECONDS)
            assert arrived, (reports.deliveries(), log.read_text()[-3000:])

    assert set(peer.kept) == set(reports.uids())
    # Only the one that was under way may have come twice, as the same object.
    assert [uid for uid, times in peer.kept.items() if times > 1] == reports.uids()[2:3]
    assert "Test" not in log.read_text()
    assert reports.jobs() == []
