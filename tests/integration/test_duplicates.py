"""Two contents of one SOP Instance UID, through real doors, under each policy."""

import signal
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import SQLModel, select

from core.database import Database
from core.keys import Role, create_key
from core.settings import Settings
from core.tables.instances import InstanceRow
from core.tables.quarantine import QuarantineRow
from dicom_node.peers import PeerAddress, add_peer
from dicom_node.scu.store import send
from dicom_node.statuses import Status
from dicom_node.storage.archive import Archive, open_archive
from dicom_node.storage.bytes import Storage
from tests.builders.encoded_instance import as_file, encode_instance
from tests.builders.store_body import multipart
from tests.fixtures.dicom_server import DEVICE, running_node
from tests.fixtures.http_server import http_server
from tests.integration.test_store_killed import receiver

CONTENTS = [encode_instance(StudyDescription=str(number)) for number in range(2)]
FIRST, OTHER = (one.data_set for one in CONTENTS)
#: Status of the second store, what is the record then, and the cause of what is aside.
SETTLED = [
    ("refuse", Status.INSTANCE_CONFLICT, FIRST, ("instance_conflict", OTHER)),
    ("keep_both", Status.SUCCESS, FIRST, ("instance_kept_beside", OTHER)),
    ("replace", Status.SUCCESS, OTHER, ("instance_replaced", FIRST)),
]


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    made = [tmp_path / f"{number}.dcm" for number in range(len(CONTENTS))]
    for path, content in zip(made, CONTENTS, strict=True):
        path.write_bytes(as_file(content))
    return made


def archive_of(settings: Settings, database: Database) -> Archive:
    return open_archive(settings, database, Storage(settings.storage))


def rows(database: Database, table: type[SQLModel]) -> Sequence[Any]:
    with database.reading() as session:
        return session.exec(select(table)).all()


def record(settings: Settings, database: Database) -> bytes:
    """Return the data set of the one instance, checked against its row."""
    [row] = rows(database, InstanceRow)
    data_set = Storage(settings.storage).read(row.storage_key)[-row.size_bytes :]
    assert sha256(data_set).hexdigest() == row.digest
    return data_set


def aside(settings: Settings, database: Database) -> list[tuple[str, bytes]]:
    quarantine = archive_of(settings, database).quarantine
    return [
        (row.code, quarantine.read(row.storage_key)[-row.size_bytes :])
        for row in rows(database, QuarantineRow)
    ]


@pytest.mark.parametrize(("policy", "status", "kept", "other"), SETTLED)
def test_a_store_of_other_content_is_settled_by_the_policy(
    settings: Settings,
    database: Database,
    paths: list[Path],
    policy: str,
    status: Status,
    kept: bytes,
    other: tuple[str, bytes],
) -> None:
    chosen = settings.model_copy(update={"duplicates": policy})
    with running_node(chosen, database) as node:
        results = [result.status for result in send(paths, node.address, DEVICE)]

    assert results == [Status.SUCCESS, status]
    assert record(chosen, database) == kept
    assert aside(chosen, database) == [other]


@pytest.mark.parametrize(("policy", "status", "kept", "other"), SETTLED)
def test_stow_of_other_content_is_settled_alike(
    settings: Settings,
    database: Database,
    policy: str,
    status: Status,
    kept: bytes,
    other: tuple[str, bytes],
) -> None:
    chosen = settings.model_copy(update={"duplicates": policy, "auth": "keys"})
    storage = Storage(chosen.storage)
    storage.prepare()
    with database.transaction() as session:
        key = create_key(session, "clinic", Role.OPERATOR)
    body, headers = multipart(*(as_file(content) for content in CONTENTS))
    with (
        http_server(chosen, database, storage) as url,
        httpx.Client(base_url=url, headers={"X-API-Key": key}, timeout=30) as client,
    ):
        answer = client.post("/dicom-web/studies", content=body, headers=headers)

    assert answer.status_code == (200 if status is Status.SUCCESS else 202)
    assert record(chosen, database) == kept
    assert aside(chosen, database) == [other]


@pytest.mark.parametrize("policy", ["refuse", "keep_both", "replace"])
def test_two_processes_that_write_one_uid_at_once_are_settled(
    settings: Settings, database: Database, paths: list[Path], policy: str
) -> None:
    chosen = settings.model_copy(update={"duplicates": policy})
    with database.transaction() as session:
        add_peer(session, DEVICE)
    barrier, answers = threading.Barrier(2), []

    def store(path: Path, peer: PeerAddress) -> None:
        barrier.wait()
        answers.extend(result.status for result in send([path], peer, DEVICE))

    with ExitStack() as running:
        peers = [running.enter_context(receiver(chosen))[1] for _ in paths]
        threads = [
            threading.Thread(target=store, args=pair) for pair in zip(paths, peers, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)

    second = Status.INSTANCE_CONFLICT if policy == "refuse" else Status.SUCCESS
    assert sorted(answers) == sorted([Status.SUCCESS, second])
    [(_, other)] = aside(chosen, database)
    assert {record(chosen, database), other} == {FIRST, OTHER}


def test_killed_in_the_middle_of_a_replacement_the_first_stands(
    settings: Settings, database: Database, paths: list[Path]
) -> None:
    chosen = settings.model_copy(update={"duplicates": "replace"})
    with database.transaction() as session:
        add_peer(session, DEVICE)
    with receiver(chosen) as (_, peer):
        [first] = send(paths[:1], peer, DEVICE)
    with receiver(chosen, "--die-before-commit") as (process, peer):
        [killed] = send(paths[1:], peer, DEVICE)
        assert process.wait(timeout=60) == -signal.SIGKILL

    assert (first.status, killed.status) == (Status.SUCCESS, None)
    assert (record(chosen, database), aside(chosen, database)) == (FIRST, [])
    with receiver(chosen) as (_, peer):
        [again] = send(paths[1:], peer, DEVICE)
    assert again.status == Status.SUCCESS
    assert record(chosen, database) == OTHER
    assert aside(chosen, database) == [("instance_replaced", FIRST)]
