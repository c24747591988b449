"""`arcuate bench ingest` as people call it, against our own receiver and real peers."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pynetdicom import AE, evt
from pynetdicom.events import Event
from sqlalchemy import make_url

from arcuate.bench.ingest.load import Load
from arcuate.bench.ingest.pdu import SendFailed
from arcuate.bench.ingest.raw_sender import RawSender, connect
from arcuate.bench.ingest.send_plan import SendPlan
from arcuate.bench.ingest.workers import ready_workers
from arcuate.bench.ingest.workloads import WORKLOADS
from arcuate.waiting import wait_until
from core.settings import Settings
from tests.fixtures.gate import Gate
from tests.fixtures.object_store import BUCKET, ObjectStore

SENDER = "arcuate.bench.ingest.raw_sender"
TIMEOUT_SECONDS = 200


def call(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Call the command with temporary files in a folder of its own."""
    return subprocess.run(
        [sys.executable, "-m", "arcuate", "bench", "ingest", *words],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


def place(tmp_path: Path) -> Path:
    """Return an empty folder for what is kept, beside whatever else the test writes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder


@pytest.fixture
def database_words(settings: Settings) -> list[str]:
    """The options that choose the database of this test, by its server."""
    url = make_url(settings.database)
    if url.get_backend_name() == "sqlite":
        return []
    server = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return ["--database", "postgresql", "--server-url", server]


@pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True
)
def test_quick_measurement_keeps_every_byte_and_leaves_nothing(
    need: Callable[[str], None], tmp_path: Path, database_words: list[str]
) -> None:
    need("storescp")
    disk, file = place(tmp_path), tmp_path / "figures.json"

    called = call(
        tmp_path,
        *("--quick", "--workload", "a", "--workload", "d", "--peer", "storescp"),
        *("--peer", "write", "--folder", str(disk), "--json", str(file)),
        *database_words,
    )

    assert called.returncode == 0, called.stderr
    written = json.loads(file.read_text())
    assert written["database"] == ("PostgreSQL" if database_words else "SQLite")
    receivers = ["arcuate", "storescp", "storescp, TCP_NODELAY=1", "write + fsync", "write"]
    assert [one["workload"] for one in written["comparisons"]] == ["a", "d"]
    for comparison in written["comparisons"]:
        assert list(comparison["runs"]) == receivers
        assert all(run["is_verified"] for runs in comparison["runs"].values() for run in runs)
        assert min(run[0]["instances_per_second"] for run in comparison["runs"].values()) > 0
    lines = called.stdout.splitlines()
    assert [line for line in lines if line.startswith("a: 12 × 0.39 MB OCT circle scans")] != []
    assert sum(line.rstrip().endswith("yes") for line in lines) == 2 * len(receivers)
    assert list(disk.iterdir()) == []


@pytest.mark.slow
def test_archives_keep_every_byte_too(need: Callable[[str], None], tmp_path: Path) -> None:
    need("Orthanc")

    called = call(
        tmp_path,
        *("--quick", "--workload", "a", "--peer", "orthanc", "--peer", "qrscp"),
        *("--folder", str(place(tmp_path))),
    )

    assert called.returncode == 0, called.stderr
    rows = [line.split() for line in called.stdout.splitlines()[2:6]]
    assert [row[0] for row in rows] == ["arcuate", "Orthanc", "Orthanc,", "qrscp"]
    assert [row[-1] for row in rows] == ["yes"] * 4


@pytest.mark.slow
def test_bucket_is_measured_in_both_ways_and_left_empty(
    gate: Gate, objects: ObjectStore, tmp_path: Path
) -> None:
    before = objects.objects()

    called = call(
        tmp_path,
        *("--quick", "--workload", "a", "--peer", "write", "--folder", str(place(tmp_path))),
        *("--bucket", f"s3://{BUCKET}/measured", "--endpoint", gate.url),
    )

    assert called.returncode == 0, called.stderr
    rows = [line.strip().split("  ") for line in called.stdout.splitlines()[2:5]]
    assert [row[0] for row in rows] == ["arcuate", "arcuate, in bucket", "arcuate, bucket later"]
    assert [row[-1].strip() for row in rows] == ["yes"] * 3
    assert objects.objects() == before


def test_bucket_that_is_none_is_wrong_use(tmp_path: Path) -> None:
    called = call(tmp_path, *("--quick", "--bucket", "scans", "--peer", "write"))

    assert called.returncode == 2
    assert "storage_url must begin with file://, or be s3://BUCKET/PREFIX" in called.stderr


def test_measurement_that_is_ended_leaves_nothing(tmp_path: Path) -> None:
    disk = place(tmp_path)
    command = [sys.executable, "-m", "arcuate", "bench", "ingest", "--workload", "a"]
    command += ["--instances", "20", "--peer", "qrscp", "--folder", str(disk)]

    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL) as running:
        try:
            assert wait_until(lambda: list(disk.glob("*/run-*/kept/*")) != [], patience_seconds=100)
            (folder,) = (run for run in disk.glob("*/run-*") if (run / "kept").exists())
            assert processes_in(folder) != set()
            running.terminate()
            running.wait(60)
        finally:
            running.kill()

    assert running.returncode != 0
    assert list(disk.iterdir()) == []
    assert wait_until(lambda: processes_in(folder) == set(), patience_seconds=30)


def processes_in(folder: Path) -> set[str]:
    """Return the processes that were told of that folder."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if str(folder) in path.read_text("utf-8", errors="replace"):
                found.add(path.parent.name)
    return found


@pytest.mark.parametrize(
    "option", ["--length-undefined", pytest.param("--write-dataset", marks=pytest.mark.slow)]
)
def test_peer_that_changes_bytes_is_found_out(
    need: Callable[[str], None], tmp_path: Path, option: str
) -> None:
    need("storescp")
    real, programs = shutil.which("storescp"), tmp_path / "programs"
    programs.mkdir()
    changing = programs / "storescp"
    changing.write_text(f'#!/bin/sh\nexec {real} {option} "$@"\n')
    changing.chmod(0o755)

    called = call(
        tmp_path,
        *("--quick", "--workload", "a", "--peer", "storescp", "--folder", str(place(tmp_path))),
        PATH=f"{programs}:{os.environ['PATH']}",
    )

    assert called.returncode == 1
    ends = [line.split()[-1] for line in called.stdout.splitlines()[2:5]]
    assert ends == ["yes", "NO", "NO"]
    assert called.stderr == (
        "arcuate: A receiver did not keep exactly what was sent: see `verified` in the table.\n"
    )


def test_peer_that_is_not_installed_is_told(tmp_path: Path) -> None:
    called = call(tmp_path, "--peer", "storescp", PATH=str(tmp_path))

    assert (called.returncode, called.stdout) == (1, "")
    assert called.stderr == "arcuate: storescp is not installed (Debian package dcmtk)\n"


@pytest.mark.parametrize(
    "words",
    [
        ("--workload", "e"),
        ("--associations", "0"),
        ("--peer", "nobody"),
        ("--database", "postgresql", "--server-url", "sqlite:///here.db"),
        ("--database", "postgresql", "--server-url", "nowhere"),
    ],
)
def test_wrong_use_is_told(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert call(tmp_path, *words).returncode == 2


def test_database_server_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"postgresql://nobody:secret@127.0.0.1:{closed.getsockname()[1]}/postgres"
        called = call(
            tmp_path,
            *("--quick", "--workload", "a", "--peer", "write"),
            *("--database", "postgresql", "--server-url", url),
        )

    assert called.returncode == 1
    assert "does not answer" in called.stderr
    assert "secret" not in called.stderr


def store_into(status: int, load: Load, maximum_pdu_bytes: int) -> tuple[list[bytes], list[float]]:
    """Store a load with one sender into pynetdicom; return what arrived and the round trips."""
    received: list[bytes] = []

    def handle_store(event: Event) -> int:
        received.append(event.request.DataSet.getvalue())  # type: ignore[union-attr]
        return status

    entity = AE("PEER")
    entity.maximum_pdu_size = maximum_pdu_bytes
    entity.add_supported_context(load.stored.sop_class_uid, load.stored.transfer_syntax_uid)
    handlers: Any = [(evt.EVT_C_STORE, handle_store)]
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    assert server is not None
    try:
        target = {
            "host": "127.0.0.1",
            "port": server.socket.getsockname()[1],  # type: ignore[union-attr]
            "calling_ae_title": "BENCH",
            "called_ae_title": "PEER",
        }
        with ready_workers(SENDER, [SendPlan(target, load.stored, (load.identities,))]) as workers:
            (times,) = workers.go()
    finally:
        entity.shutdown()
    return received, list(times.round_trips_seconds)


@pytest.mark.parametrize("maximum_pdu_bytes", [4096, 16_382, 0])
def test_sender_sends_each_instance_whole_in_pdus_of_any_size(
    tmp_path: Path, maximum_pdu_bytes: int
) -> None:
    load = Load.prepare(WORKLOADS[0], 3, tmp_path)
    encoded = load.stored.load()

    received, round_trips = store_into(0x0000, load, maximum_pdu_bytes)

    assert received == [bytes(encoded.copy(identity)) for identity in load.identities]
    assert len(round_trips) == 3


def test_status_other_than_success_ends_the_measurement(tmp_path: Path) -> None:
    load = Load.prepare(WORKLOADS[0], 1, tmp_path)

    with pytest.raises(SendFailed, match="status 0xA700"):
        store_into(0xA700, load, 16_382)


def test_rejected_association_is_told_with_its_reason(tmp_path: Path) -> None:
    load = Load.prepare(WORKLOADS[0], 1, tmp_path)
    entity = AE("PEER")
    entity.require_called_aet = True
    entity.add_supported_context(load.stored.sop_class_uid, load.stored.transfer_syntax_uid)
    server = entity.start_server(("127.0.0.1", 0), block=False)
    assert server is not None
    port = server.socket.getsockname()[1]  # type: ignore[union-attr]

    try:
        with connect("127.0.0.1", port) as connection:
            sender = RawSender(connection, load.stored.load())
            # Permanent, by the service user: called AE title not recognised (PS3.8 table 9-21).
            with pytest.raises(SendFailed, match=r"rejected the association \(1, 1, 7\)"):
                sender.associate("BENCH", "OTHER")
    finally:
        entity.shutdown()
