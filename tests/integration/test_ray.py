"""Scoring on a Ray of this machine while one of its actors is killed: each eye once."""

import csv
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlmodel import select

from arcuate.waiting import wait_until
from core.settings import Settings
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.predictions import PredictionRow
from tests.builders.opt import build_circle_opt, encoded
from tests.builders.scored_archive import keep_scans

pytest.importorskip("ray", reason="needs the extra `ray`")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

SCANS = 96
WAIT_SECONDS = 900


@contextmanager
def called(home: Path, words: Sequence[object]) -> Iterator[subprocess.Popen[bytes]]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ARCUATE_")}
    environment |= {"ARCUATE_HOME": str(home), "ARCUATE_DEVICE": "cpu"}
    environment["ARCUATE_LEASE_SECONDS"] = "30"
    command = [sys.executable, "-m", "arcuate", *map(str, words), "--engine", "ray"]
    with subprocess.Popen(command, env=environment) as running:
        try:
            yield running
        finally:
            running.kill()


def actors_of(parent: int, name: str) -> list[int]:
    """Return the processes of a Ray that this one started and that hold such an actor."""
    parents, names = {}, {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            status = (folder / "status").read_text()
            words = (folder / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        parents[int(folder.name)] = int(status.split("PPid:")[1].split()[0])
        names[int(folder.name)] = words
    return [
        process
        for process, words in names.items()
        if words.startswith("ray::") and name in words and parent in _above(process, parents)
    ]


def _above(process: int, parents: dict[int, int]) -> list[int]:
    found = []
    while process in parents:
        process = parents[process]
        found.append(process)
    return found


def kill_one(running: subprocess.Popen[bytes], name: str, when: Callable[[], bool]) -> None:
    assert wait_until(when, WAIT_SECONDS)
    [actor, *_] = actors_of(running.pid, name)
    os.kill(actor, 9)


def test_files_are_scored_once_though_an_actor_dies(tmp_path: Path) -> None:
    folder, out = tmp_path / "scans", tmp_path / "scores.csv"
    folder.mkdir()
    content = encoded(build_circle_opt())
    for number in range(SCANS):
        (folder / f"{number:03d}.dcm").write_bytes(content)

    with called(tmp_path / "home", ["score", folder, "--out", out]) as running:
        kill_one(running, "ScoringActor", lambda: out.exists() and out.stat().st_size > 0)
        assert running.wait(WAIT_SECONDS) == 0

    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["eye_id"] for row in rows) == sorted(map(str, folder.iterdir()))
    assert {row["status"] for row in rows} == {"final"}


def test_archive_is_scored_again_once_though_an_actor_dies(tmp_path: Path) -> None:
    node = keep_scans(Settings(home=tmp_path / "home"), SCANS)

    def done() -> int:
        with node.database.reading() as session:
            again = (JobRow.kind == JobKind.RESCORE, JobRow.status == JobStatus.DONE)
            return len(session.exec(select(JobRow.id).where(*again)).all())

    with called(node.settings.home, ["rescore", "--all", "--actors", 2]) as running:
        kill_one(running, "LedgerActor", lambda: 0 < done() < SCANS)
        assert running.wait(WAIT_SECONDS) == 0

    with node.database.reading() as session:
        scored = session.exec(select(PredictionRow.instance_key)).all()
    assert done() == SCANS
    assert sorted(scored) == sorted(set(scored))
    assert len(scored) == SCANS
    node.database.close()
