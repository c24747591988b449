from collections.abc import Iterator

import pytest

from core.database import Database
from core.settings import Settings
from dicom_node.calling_errors import AssociationRejected
from dicom_node.peers import add_peer, list_refused_callers, remove_peer
from dicom_node.scu.echo import echo
from tests.fixtures.dicom_server import DEVICE, Node, running_node
from tests.fixtures.tls import Keys, call


@pytest.fixture
def node(tls_settings: Settings, database: Database) -> Iterator[Node]:
    with running_node(tls_settings, database) as running:
        yield running


def test_a_bound_peer_is_let_in_with_its_own_certificate_only(node: Node, keys: Keys) -> None:
    other = keys.authority.issue("other")
    with node.database.transaction() as session:
        add_peer(session, DEVICE, "127.0.0.1", certificate=keys.device.path.read_bytes())

    own, foreign = call(node, keys.calling()), call(node, keys.calling(other))

    assert own.is_established
    own.release()
    assert foreign.is_rejected
    assert foreign.acceptor.primitive.reason_str == "Calling AE title not recognised"  # type: ignore[union-attr]
    assert refusals(node) == [(DEVICE, "certificate_not_recognised")]


def test_a_bound_peer_is_not_let_in_on_the_plain_port_even_where_strangers_are(
    tls_settings: Settings, database: Database, keys: Keys
) -> None:
    open_settings = tls_settings.model_copy(update={"allow_unknown_peers": True})
    with running_node(open_settings, database) as node:
        with node.database.transaction() as session:
            add_peer(session, DEVICE, "127.0.0.1", certificate=keys.device.path.read_bytes())

        with pytest.raises(AssociationRejected, match="Calling AE title not recognised"):
            echo(node.address, DEVICE)

        assert refusals(node) == [(DEVICE, "certificate_missing")]
        assert echo(node.address, "STRANGER") < 10


def refusals(node: Node) -> list[tuple[str, str]]:
    with node.database.reading() as session:
        return [(c.calling_ae_title, c.reason) for c in list_refused_callers(session)]


def test_a_peer_added_anew_stays_bound_until_it_is_removed(node: Node, keys: Keys) -> None:
    with node.database.transaction() as session:
        add_peer(session, DEVICE, "127.0.0.1", certificate=keys.device.path.read_bytes())
        add_peer(session, DEVICE, "127.0.0.1", 104)

    with pytest.raises(AssociationRejected, match="Calling AE title not recognised"):
        echo(node.address, DEVICE)

    with node.database.transaction() as session:
        remove_peer(session, DEVICE)
    with node.database.transaction() as session:
        add_peer(session, DEVICE, "127.0.0.1")
    assert echo(node.address, DEVICE) < 10
