from collections.abc import Iterator

import pytest

from arcuate.checks import run_check
from arcuate.finding import Finding, Health
from core.database import Database
from core.settings import Settings
from dicom_node.peers import add_peer
from tests.fixtures.dicom_server import Node, running_node


@pytest.fixture
def node(tls_settings: Settings, database: Database) -> Iterator[Node]:
    with running_node(tls_settings, database) as running:
        yield running


def test_peers_that_answer_are_good_over_tls_too(node: Node, tls_settings: Settings) -> None:
    with node.database.transaction() as session:
        add_peer(session, "ARCUATE", "127.0.0.1", node.tls_port, tls=True)
        add_peer(session, "ROAMING", "10.0.0.0/8", 104)

    assert run_check("echo", tls_settings) == Finding("echo", Health.GOOD, "1 answer")


def test_peers_that_do_not_answer_are_named_with_the_cause(
    node: Node, tls_settings: Settings
) -> None:
    with node.database.transaction() as session:
        add_peer(session, "ARCUATE", "127.0.0.1", node.port)
        add_peer(session, "PACS", "127.0.0.1", node.port, tls=True)

    found = run_check("echo", tls_settings)

    assert found.health is Health.NOTE
    assert found.found.startswith("1 of 2 do not answer: PACS: PACS@127.0.0.1:")
    assert "over TLS" in found.found


def test_without_a_port_nobody_is_called(node: Node, tls_settings: Settings) -> None:
    found = run_check("echo", tls_settings)

    assert (found.health, found.found) == (Health.GOOD, "no peer has a port to call")
