import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from arcuate.checks import run_check, run_checks
from arcuate.finding import Finding, Health
from arcuate.node import Node, prepare_node
from core.ledger import enqueue
from core.settings import Settings
from core.tables.jobs import JobKind, JobRow, JobStatus
from dicom_node.peers import add_peer
from tests.builders.kept_study import NOW, keep_raw
from tests.builders.received import open_test_archive
from tests.fixtures.http_server import http_server


def settings_of(home: Path, **values: object) -> Settings:
    return Settings.model_validate(
        {"home": home, "dicom_port": 0, "http_port": 0, "auth": "none"} | values
    )


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    prepared = prepare_node(settings_of(tmp_path / "home"))
    yield prepared
    prepared.database.close()


def finding(settings: Settings, check: str) -> Finding:
    return run_check(check, settings)


def test_nothing_there_yet_is_no_fault_and_nothing_is_made(tmp_path: Path) -> None:
    findings = run_checks(settings_of(tmp_path / "home"))

    notes = [found.check for found in findings if found.health is Health.NOTE]
    of_the_record = ["peers", "echo", "senders", "destinations", "webhooks", "jobs"]
    assert notes == ["home", "database", "storage", *of_the_record]
    assert [found for found in findings if found.health is Health.WRONG] == []
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_good_says_what_to_do(tmp_path: Path) -> None:
    findings = run_checks(settings_of(tmp_path / "home", minimum_free_mib=2**40, device="gpu"))

    assert [f.check for f in findings if f.health is not Health.GOOD and not f.remedy] == []


def test_prepared_node_with_a_peer_is_good_throughout(node: Node) -> None:
    with node.database.transaction() as session:
        add_peer(session, "DEVICE1", "127.0.0.1")

    findings = run_checks(node.settings)

    unwell = {found.check for found in findings if found.health is not Health.GOOD}
    # What this host's SQLite and GPU are like is not the node's doing.
    assert unwell <= {"sqlite", "device"}


def test_node_without_peers_says_how_to_let_one_in(node: Node) -> None:
    found = finding(node.settings, "peers")

    assert (found.health, found.found) == (Health.NOTE, "0 known, 0 callers refused")
    assert found.remedy == "`arcuate peers add AET --host ADDRESS` lets a device in."


def test_failed_job_is_wrong(node: Node) -> None:
    with node.database.transaction() as session:
        enqueue(session, JobKind.ANALYSE, "1")
    with node.database.transaction() as session:
        session.get_one(JobRow, 1).status = JobStatus.FAILED

    found = finding(node.settings, "jobs")

    assert (found.health, found.found) == (Health.WRONG, "0 waiting, 1 failed")


def test_jobs_that_no_process_does_are_wrong(node: Node) -> None:
    with node.database.transaction() as session:
        enqueue(session, JobKind.REPORT, "1")
        for kind in (JobKind.ANALYSE, JobKind.RESCORE):
            enqueue(session, kind, "1")
        for job in session.exec(select(JobRow).where(JobRow.kind != JobKind.REPORT)).all():
            job.created_at -= timedelta(hours=1)

    found = finding(node.settings, "jobs")

    assert (found.health, found.found) == (
        Health.WRONG,
        "3 waiting, 0 failed; nobody works on 2 of `arcuate infer`",
    )


def test_home_that_is_a_file_is_wrong(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("a file")

    assert finding(settings_of(home), "home").health is Health.WRONG


def test_database_of_another_schema_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "arcuate.db").touch()

    found = finding(settings_of(tmp_path), "database")

    assert found == Finding("database", Health.WRONG, "another schema", "Run `arcuate migrate`.")


def test_database_server_that_is_away_is_wrong(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    url = f"postgresql+psycopg://nobody:secret@127.0.0.1:{port}/none"

    found = finding(settings_of(tmp_path, database_url=url), "database")

    assert found.health is Health.WRONG
    assert found.remedy == "Start the database server, or mend ARCUATE_DATABASE_URL."
    assert "secret" not in found.found


def test_too_little_free_space_is_wrong(node: Node) -> None:
    settings = node.settings.model_copy(update={"minimum_free_mib": 2**40})

    assert finding(settings, "storage").health is Health.WRONG


@pytest.mark.parametrize("is_mount_point", [True, False])
def test_storage_whose_disk_is_away_is_wrong_and_nothing_is_made(
    node: Node, is_mount_point: bool
) -> None:
    root = node.storage.root
    keep_raw(open_test_archive(node.settings, node.database), "1", NOW)
    root.rename(root.with_name("unmounted"))
    if is_mount_point:
        root.mkdir()

    found = finding(node.settings, "storage")

    assert (found.health, found.found) == (
        Health.WRONG,
        f"{root} holds none of the objects that the record names: mount its disk, or bring them "
        f"back. Where they are lost for good, make the folder {root / '.unfinished'}",
    )
    assert root.exists() == is_mount_point
    assert list(root.glob("*")) == []


def test_port_of_another_program_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        found = finding(settings_of(tmp_path, dicom_port=port), "ports")

    assert (found.health, found.found) == (Health.NOTE, f"in use: DICOM {port}")


def test_port_of_a_running_node_is_good(node: Node) -> None:
    with http_server(node.settings, node.database, node.storage) as address:
        port = int(address.rsplit(":", 1)[1])

        found = finding(settings_of(node.settings.home, http_port=port), "ports")

    assert (found.health, found.found) == (
        Health.GOOD,
        f"in use: HTTP {port}; a node answers there",
    )


@pytest.mark.parametrize(
    ("database", "health"),
    [("", Health.WRONG), ("postgresql+psycopg://arcuate@database/arcuate", Health.NOTE)],
)
def test_port_of_devices_that_a_running_node_does_not_answer_is_named(
    node: Node, database: str, health: Health
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        dicom_port = closed.getsockname()[1]
    with http_server(node.settings, node.database, node.storage) as address:
        port = int(address.rsplit(":", 1)[1])
        settings = settings_of(
            node.settings.home, http_port=port, dicom_port=dicom_port, database_url=database
        )

        found = finding(settings, "ports")

    assert (found.health, found.found) == (
        health,
        f"in use: HTTP {port}; a node answers there; nothing listens on DICOM {dicom_port}",
    )


def test_model_that_is_not_installed_is_wrong(tmp_path: Path) -> None:
    found = finding(settings_of(tmp_path, model="missing"), "model")

    assert found.health is Health.WRONG
    assert found.found.startswith("No model missing is installed")
