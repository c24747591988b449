from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import httpx
import pytest
from sqlmodel import SQLModel, func, select

from core.database import Database
from core.settings import Settings
from core.tables.instances import InstanceRow
from core.tables.jobs import JobRow
from core.tables.quarantine import QuarantineRow
from dicom_node.storage.bytes import Storage
from tests.builders.store_body import multipart
from tests.fixtures.http_server import http_server

#: For one file of at most 300 kB, on a busy machine.
SECONDS_PER_FILE = 10.0


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[httpx.Client]:
    storage = Storage(settings.storage)
    storage.prepare()
    with (
        http_server(settings, database, storage) as url,
        httpx.Client(timeout=60, base_url=url) as opened,
    ):
        yield opened


@pytest.fixture
def odd_files(shared_data: Path) -> list[Path]:
    folder = shared_data / "robustness"
    files = [p for name in ("dicomParser", "pydicom") for p in sorted((folder / name).iterdir())]
    assert len(files) == 47
    return files


def count(database: Database, table: type[SQLModel]) -> int:
    with database.reading() as session:
        return session.exec(select(func.count()).select_from(table)).one()


def test_every_odd_file_has_an_outcome_and_the_server_lives(
    client: httpx.Client, database: Database, odd_files: list[Path]
) -> None:
    sequences = {200: {"00081199"}, 409: {"00081198"}}
    kept = 0

    for path in odd_files:
        body, headers = multipart(path.read_bytes())
        start = monotonic()
        answer = client.post("/dicom-web/studies", content=body, headers=headers)
        assert monotonic() - start < SECONDS_PER_FILE, path.name
        found = set(answer.json()) - {"00081190"}
        # What is no DICOM file, or has no valid UID, cannot be referenced.
        assert found in (sequences[answer.status_code], {"0008119A"}), path.name
        kept += answer.status_code == 200
        assert client.get("/health/ready").status_code == 200, path.name

    assert kept == count(database, InstanceRow)
    assert 0 < kept < len(odd_files)
    assert count(database, QuarantineRow) > 0
    assert count(database, JobRow) == 0


def test_odd_files_in_one_request_stop_no_other(
    client: httpx.Client, database: Database, odd_files: list[Path]
) -> None:
    body, headers = multipart(*(path.read_bytes() for path in odd_files))

    answer = client.post("/dicom-web/studies", content=body, headers=headers)

    assert answer.status_code == 202
    items = {tag: len(answer.json()[tag]["Value"]) for tag in ("00081199", "00081198", "0008119A")}
    assert sum(items.values()) == len(odd_files)
    assert items["00081199"] == count(database, InstanceRow)
