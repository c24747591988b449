"""`arcuate bench pipeline` as people call it: small, beside Orthanc, nothing left."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

TIMEOUT_SECONDS = 900


@pytest.mark.slow
def test_scans_are_measured_beside_the_plain_program(tmp_path: Path, need) -> None:
    need("Orthanc")
    disk, file = tmp_path / "disk", tmp_path / "figures.json"
    disk.mkdir()
    words = ("--scans", "2", "--runs", "1", "--peer", "plain", "--studies", "20")

    called = subprocess.run(
        [
            *(sys.executable, "-m", "arcuate", "bench", "pipeline", *words),
            *("--folder", str(disk), "--json", str(file)),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )

    assert called.returncode == 0, called.stderr
    written = json.loads(file.read_text())
    for runs in (written["runs"]["arcuate"], written["runs"]["plain"]):
        assert [len(seconds) for seconds in runs.values()] == [1, 2, 2]
    assert written["preparation_a_second"] > 0
    assert [share["batch"] for share in written["predictor"]] == [16, 64]
    assert "times the scans/s" in called.stdout
    assert list(disk.iterdir()) == []
