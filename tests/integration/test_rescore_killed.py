"""An archive scored again while the process that works is killed: each scan exactly once.

ARCUATE_TEST_RESCORED=10000 ARCUATE_TEST_KILL_SECONDS=60 pytest -m slow -s THIS is the long run.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlmodel import select

from arcuate.waiting import wait_until
from core.settings import Settings
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.predictions import PredictionRow
from tests.builders.scored_archive import keep_scans

pytestmark = [pytest.mark.slow, pytest.mark.timeout(14400)]

SCANS = int(os.environ.get("ARCUATE_TEST_RESCORED", "300"))
KILL_SECONDS = float(os.environ.get("ARCUATE_TEST_KILL_SECONDS", "15"))


def begin(home: Path, *words: str) -> subprocess.Popen[bytes]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ARCUATE_")}
    environment |= {
        "ARCUATE_HOME": str(home),
        "ARCUATE_DEVICE": "cpu",
        "ARCUATE_LEASE_SECONDS": "10",
        "ARCUATE_MAXIMUM_ATTEMPTS": "100",
        "ARCUATE_LOG_LEVEL": "warning",
    }
    command = [sys.executable, "-m", "arcuate", *words]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)


def test_each_scan_is_scored_again_exactly_once(tmp_path: Path) -> None:
    node = keep_scans(Settings(home=tmp_path / "home"), SCANS)
    home, kills = node.settings.home, 0
    assert begin(home, "rescore", "--all", "--no-wait").wait(300) == 0

    def waiting() -> int:
        with node.database.reading() as session:
            unfinished = JobRow.status.in_((JobStatus.QUEUED, JobStatus.RUNNING))
            of_kind = JobRow.kind == JobKind.RESCORE
            return len(session.exec(select(JobRow.id).where(of_kind, unfinished)).all())

    begun, asked = time.monotonic(), waiting()
    while waiting():
        working, before = begin(home, "infer"), waiting()
        # Killed at work, not while it reads its models.
        assert wait_until(lambda limit=before: waiting() < limit, 600)
        wait_until(lambda: not waiting(), KILL_SECONDS)
        working.kill()
        working.wait()
        kills += 1
    print(f"{SCANS} scans, {kills} kills, {time.monotonic() - begun:.0f} s")  # noqa: T201

    with node.database.reading() as session:
        scored = session.exec(select(PredictionRow.instance_key)).all()
        reports = session.exec(select(JobRow.subject).where(JobRow.kind == JobKind.REPORT)).all()
    assert asked == SCANS
    assert (len(scored), len(set(scored))) == (SCANS, SCANS)
    assert (len(reports), len(set(reports))) == (SCANS, SCANS)
    node.database.close()
