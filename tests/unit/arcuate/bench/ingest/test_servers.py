"""The register names every peer, and nobody is measured who is not installed."""

from pathlib import Path

import pytest

from arcuate.bench.ingest.choices import PeerName
from arcuate.bench.ingest.databases import BenchDatabase
from arcuate.bench.ingest.measurement import choose_contestants
from arcuate.bench.ingest.server_process import PeerMissing, ServerFailed, server_process
from arcuate.bench.ingest.servers import register
from arcuate.bench.ingest.servers.orthanc import Orthanc
from arcuate.bench.ingest.servers.register import peers
from arcuate.waiting import wait_until

SQLITE = BenchDatabase()


def test_every_peer_that_can_be_chosen_is_registered_under_titles_of_its_own() -> None:
    registered = peers(SQLITE)

    assert {contestant.peer for contestant in registered} == set(PeerName)
    assert len({contestant.title for contestant in registered}) == len(registered)


def test_every_receiver_of_the_folder_is_registered() -> None:
    files = {path.stem for path in Path(register.__file__).parent.glob("*.py")}
    registered = {type(one).__module__.rpartition(".")[2] for one in peers(SQLITE)}

    assert files - {"__init__", "register", "contestant"} == registered


def test_named_peers_are_measured_in_all_their_ways_behind_ourselves() -> None:
    chosen = choose_contestants(SQLITE, [PeerName.WRITE], pytest.fail)

    assert [contestant.title for contestant in chosen] == ["arcuate", "write + fsync", "write"]


def test_named_peer_that_is_missing_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    told: list[str] = []

    with pytest.raises(PeerMissing, match=r"storescp is not installed \(Debian package dcmtk\)"):
        choose_contestants(SQLITE, [PeerName.STORESCP], told.append)

    chosen = choose_contestants(SQLITE, [], told.append)
    assert PeerName.STORESCP not in [contestant.peer for contestant in chosen]
    assert "Left out: storescp. storescp is not installed (Debian package dcmtk)" in told


def test_orthanc_needs_its_plug_in_for_postgresql(tmp_path: Path) -> None:
    on_postgresql = BenchDatabase("postgresql://127.0.0.1:5432/postgres")
    orthanc = Orthanc(on_postgresql, index_plug_in=tmp_path / "missing.so")

    with pytest.raises(PeerMissing):
        orthanc.check()


def test_server_that_ends_at_once_is_told_with_its_last_words(tmp_path: Path) -> None:
    command = ["sh", "-c", "echo the port is taken >&2; exit 3"]

    with (
        server_process("peer", command, tmp_path, {}) as process,
        pytest.raises(ServerFailed, match="peer did not start: the port is taken"),
    ):
        process.wait_for_port(1)


def test_what_a_server_forked_ends_with_it(tmp_path: Path) -> None:
    command = ["sh", "-c", "tail -f /dev/null & echo $!"]

    with server_process("peer", command, tmp_path, {}) as process:
        assert process.process.wait(60) == 0
        child = int(process.output.read_text())

    assert wait_until(lambda: has_ended(child), patience_seconds=30)


def has_ended(process_id: int) -> bool:
    try:
        status = Path(f"/proc/{process_id}/status").read_text("utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return True
    return "State:\tZ" in status
