"""`arcuate bench query` as people call it: small, every answer counted, nothing left."""

import json
import subprocess
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
from sqlalchemy import make_url

from arcuate.bench.query.doors import WEB_PLUG_IN
from tests.conftest import miss

TIMEOUT_SECONDS = 200


def call(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "arcuate", "bench", "query", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


def test_every_question_is_asked_and_nothing_is_left(tmp_path: Path, postgres_url: str) -> None:
    disk, file = tmp_path / "disk", tmp_path / "figures.json"
    disk.mkdir()
    server = make_url(postgres_url).set(drivername="postgresql", database="postgres")

    called = call(
        tmp_path,
        *("--studies", "60", "--questions", "3", "--folder", str(disk), "--json", str(file)),
        *("--server-url", server.render_as_string(hide_password=False)),
    )

    assert called.returncode == 0, called.stderr
    written = json.loads(file.read_text())
    assert (written["instances"], written["questions"]) == (600, 3)
    asked = {(one["server"], one["kind"], one["way"]) for one in written["figures"]}
    servers = ("arcuate, SQLite", "arcuate, PostgreSQL")
    kinds, ways = ("patient_id", "dates", "name"), ("C-FIND", "QIDO-RS")
    assert asked == set(product(servers, kinds, ways))
    assert all(len(one["seconds"]) == 3 for one in written["figures"])
    assert called.stdout.startswith("600 instances, 60 studies, 30 patients; 3 questions")
    assert list(disk.iterdir()) == []


@pytest.mark.slow
def test_orthanc_tells_of_the_same_studies(need: Callable[[str], None], tmp_path: Path) -> None:
    need("Orthanc")
    if not WEB_PLUG_IN.exists():
        miss("Orthanc's plug-in for DICOMweb (Debian package orthanc-dicomweb)")

    called = call(
        tmp_path,
        *("--studies", "60", "--questions", "3", "--database", "sqlite", "--peer", "orthanc"),
    )

    assert called.returncode == 0, called.stderr
    assert called.stdout.count("Orthanc, SQLite") == 6


def test_wrong_use_says_so(tmp_path: Path) -> None:
    assert call(tmp_path, "--peer", "nobody").returncode == 2
