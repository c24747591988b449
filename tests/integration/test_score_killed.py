"""`arcuate score` killed with SIGKILL while it works: gone on with, each eye has one row."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from arcuate.waiting import wait_until
from tests.builders.opt import build_circle_opt, encoded

SCANS = 48


def begin(folder: Path, out: Path, processes: int) -> subprocess.Popen[bytes]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ARCUATE_")}
    environment |= {"ARCUATE_HOME": str(out.parent / "home"), "ARCUATE_DEVICE": "cpu"}
    words = ["score", folder, "--out", out, "--processes", str(processes)]
    return subprocess.Popen(
        [sys.executable, "-m", "arcuate", *words], env=environment, stderr=subprocess.DEVNULL
    )


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    folder = tmp_path / "scans"
    folder.mkdir()
    content = encoded(build_circle_opt())
    for number in range(SCANS):
        (folder / f"{number:03d}.dcm").write_bytes(content)
    return folder


@pytest.mark.timeout(900)
def test_table_is_gone_on_with_after_a_kill(scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores.csv"
    killed = begin(scans, out, processes=2)
    try:
        assert wait_until(lambda: out.exists() and out.read_bytes().count(b"\n") > 1, 400)
    finally:
        killed.kill()
        killed.wait()
    before = rows_of(out)

    assert begin(scans, out, processes=2).wait(400) == 0

    after = rows_of(out)
    assert 0 < len(before) < SCANS
    assert [row["eye_id"] for row in after] == sorted(map(str, scans.iterdir()))
    assert after[: len(before) - 1] == before[:-1]
    assert {row["status"] for row in after} == {"final"}
