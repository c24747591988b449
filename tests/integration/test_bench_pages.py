"""`arcuate bench pages` as people call it: small, every page looked at, nothing left."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

TIMEOUT_SECONDS = 280


@pytest.mark.slow
def test_every_page_is_asked_for_while_scans_come_in(tmp_path: Path) -> None:
    disk, file = tmp_path / "disk", tmp_path / "figures.json"
    disk.mkdir()
    words = ("--studies", "20", "--people", "4", "--seconds", "6", "--folder", str(disk))

    called = subprocess.run(
        [sys.executable, "-m", "arcuate", "bench", "pages", *words, "--json", str(file)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )

    assert called.returncode == 0, called.stderr
    written = json.loads(file.read_text())
    assert {kind for kind, seconds in written["seconds"].items() if seconds} >= {"Live", "Result"}
    assert written["scored"] == written["scans"] > 0
    assert called.stdout.startswith("20 studies, 4 people for 6 s")
    assert list(disk.iterdir()) == []
