"""The file of a SQLite database is locked, or goes away, and comes back."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pynetdicom.association import Association
from sqlmodel import func, select

from core.database import Database, sqlite_module
from core.settings import Settings
from core.tables.instances import InstanceRow
from core.tables.jobs import JobRow
from dicom_node.statuses import Status
from tests.fixtures.dicom_server import Node, running_node
from tests.integration.test_database_away import associate, store

OUT_OF_RESOURCES = Status.OUT_OF_RESOURCES


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, database_url: str) -> str:
    return database_url


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.database.LOCK_SECONDS", 0.5)


@pytest.fixture
def node(impatient: None, settings: Settings, database: Database) -> Iterator[Node]:
    with running_node(settings, database) as running:
        yield running


def file_of(node: Node) -> Path:
    return Path(str(node.database.url.database))


def kept(node: Node) -> list[int]:
    with node.database.reading() as session:
        tables = (InstanceRow, JobRow)
        return [session.exec(select(func.count()).select_from(table)).one() for table in tables]


def answer_to(newcomer: Association) -> tuple[int, int, int]:
    answer = newcomer.acceptor.primitive
    assert answer is not None
    return answer.result, answer.result_source, answer.diagnostic


def test_an_association_outlives_a_locked_database(node: Node) -> None:
    association = associate(node)
    before = store(association, 1)
    with closing(sqlite_module().connect(file_of(node))) as other:
        other.execute("BEGIN EXCLUSIVE")
        during = store(association, 2)
        other.rollback()
    after = store(association, 2)
    association.release()

    assert (before, during, after) == (Status.SUCCESS, OUT_OF_RESOURCES, Status.SUCCESS)
    assert kept(node) == [2, 2]


def test_an_association_outlives_a_database_file_that_goes_away(node: Node) -> None:
    association = associate(node)
    before = store(association, 1)
    # As before a backup is put back, or a disk unmounted: nobody holds the file open.
    node.database.close()
    path = file_of(node)
    aside = [(name, name.rename(name.with_suffix(name.suffix + ".away"))) for name in files(path)]
    during = store(association, 2)
    newcomer = associate(node)
    assert not path.exists()
    for name, moved in aside:
        moved.rename(name)
    after = [store(association, 2), store(association, 3)]
    association.release()

    assert (before, during, after) == (Status.SUCCESS, OUT_OF_RESOURCES, [0, 0])
    assert answer_to(newcomer) == (2, 3, 1)
    assert kept(node) == [3, 3]


def test_nothing_is_written_into_a_file_that_was_moved_while_open(node: Node) -> None:
    association = associate(node)
    before = store(association, 1)
    path = file_of(node)
    moved = path.rename(path.with_name("moved.db"))
    during = store(association, 2)
    association.release()

    assert (before, during) == (Status.SUCCESS, OUT_OF_RESOURCES)
    assert not path.exists()
    moved.rename(path)
    assert kept(node) == [1, 1]


def files(path: Path) -> list[Path]:
    """Return the database file and what SQLite keeps beside it."""
    return sorted(path.parent.glob(f"{path.name}*"))
