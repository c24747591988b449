"""A query while the database is away is refused in the standard's words, and works again after."""

from collections.abc import Iterator

import httpx
import pytest

from core.database import Database
from core.settings import Settings
from dicom_node.statuses import Status
from dicom_node.storage.bytes import Storage
from tests.builders.queryable import fill
from tests.fixtures.dicom_server import Node, running_node
from tests.fixtures.http_server import http_server
from tests.fixtures.query_scu import ask, asking, identifier
from tests.integration.test_database_away import away


@pytest.fixture(params=["postgresql"])
def database_url(request: pytest.FixtureRequest, database_url: str) -> str:
    """Only PostgreSQL can go away: SQLite is a file beside the bytes."""
    return database_url


@pytest.fixture
def node(settings: Settings, database: Database) -> Iterator[Node]:
    with running_node(settings, database) as running:
        fill(running.archive)
        yield running


def test_queries_are_put_off_while_the_database_is_away(node: Node, settings: Settings) -> None:
    with (
        asking(node.port) as association,
        http_server(settings, node.database, Storage(settings.storage)) as url,
    ):
        asked = identifier("STUDY", PatientID="P1")
        before = ask(association, asked)
        with away(node.database):
            during = ask(association, asked)
            over_http = httpx.get(f"{url}/dicom-web/studies", timeout=60)
        after = ask(association, asked)

    assert (before.status, len(before.matches)) == (Status.SUCCESS, 2)
    assert (during.status, len(during.matches)) == (Status.OUT_OF_RESOURCES, 0)
    assert (after.status, len(after.matches)) == (Status.SUCCESS, 2)
    assert over_http.status_code == 503
    assert over_http.headers["content-type"] == "application/problem+json"
