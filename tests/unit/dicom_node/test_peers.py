import pytest

from core.database import Database
from core.errors import RecordNotFound
from core.tables.peers import PeerRow
from dicom_node.calling_errors import PeerInvalid
from dicom_node.peers import (
    PeerAddress,
    add_peer,
    address_of,
    calls_from_its_host,
    list_peers,
    remove_peer,
)


def test_peers_are_added_changed_listed_and_removed(database: Database) -> None:
    with database.transaction() as session:
        add_peer(session, "B", "10.0.0.0/8", 104, "OCT in room 2")
        first = add_peer(session, "A", "10.0.0.1")
    with database.transaction() as session:
        add_peer(session, "A", "10.0.0.2", 11112)

    with database.reading() as session:
        peers = [(p.ae_title, p.host, p.port, p.description) for p in list_peers(session)]
        assert session.get_one(PeerRow, "A").added_at == first.added_at
    assert peers == [("A", "10.0.0.2", 11112, ""), ("B", "10.0.0.0/8", 104, "OCT in room 2")]
    with database.transaction() as session:
        remove_peer(session, "B")
        assert [p.ae_title for p in list_peers(session)] == ["A"]


def test_peer_that_moves_keeps_its_port_and_description(database: Database) -> None:
    with database.transaction() as session:
        add_peer(session, "PACS", "10.0.0.9", 104, "Archive")
        moved = add_peer(session, "PACS", "10.0.0.10")

        assert (moved.host, moved.port, moved.description) == ("10.0.0.10", 104, "Archive")


def test_a_peer_is_not_bound_to_what_is_no_certificate(database: Database) -> None:
    with database.transaction() as session, pytest.raises(PeerInvalid, match="no certificate"):
        add_peer(session, "A", "10.0.0.1", certificate=b"no certificate")


def test_removing_an_unknown_peer_says_so(database: Database) -> None:
    with database.transaction() as session, pytest.raises(RecordNotFound, match="NOBODY"):
        remove_peer(session, "NOBODY")


@pytest.mark.parametrize(
    ("ae_title", "host", "port"),
    [
        ("", "*", None),
        ("A" * 17, "*", None),
        ("A\\B", "*", None),
        (" A", "*", None),
        ("A", "no address", None),
        ("A", "10.0.0.0/33", None),
        ("A", "*", 0),
        ("A", "*", 65536),
    ],
)
def test_a_malformed_peer_is_refused(
    database: Database, ae_title: str, host: str, port: int | None
) -> None:
    with database.transaction() as session, pytest.raises(PeerInvalid):
        add_peer(session, ae_title, host, port)


@pytest.mark.parametrize(
    ("host", "address", "answer"),
    [
        ("*", "198.51.100.7", True),
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("10.0.0.0/24", "10.0.0.200", True),
        ("10.0.0.0/24", "10.0.1.1", False),
        ("10.0.0.1", "::ffff:10.0.0.1", True),
        ("fd00::/8", "fd00::1", True),
        ("fd00::/8", "10.0.0.1", False),
        ("10.0.0.1", "no address", False),
    ],
)
def test_a_peer_calls_from_its_host(host: str, address: str, answer: bool) -> None:
    assert calls_from_its_host(PeerRow(ae_title="A", host=host), address) is answer


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("PACS@pacs.example:104", PeerAddress("PACS", "pacs.example", 104)),
        ("MY PACS@[::1]:11112", PeerAddress("MY PACS", "::1", 11112)),
    ],
)
def test_a_peer_address_is_read(text: str, address: PeerAddress) -> None:
    assert PeerAddress.parse(text) == address


@pytest.mark.parametrize(
    "text", ["", "PACS", "PACS@host", "@host:104", "PACS@host:0", "PACS@host:99999", "A\\@h:1"]
)
def test_a_malformed_peer_address_is_refused(text: str) -> None:
    with pytest.raises(PeerInvalid):
        PeerAddress.parse(text)


@pytest.mark.parametrize(
    ("host", "calling_address", "called"),
    [
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.2", "10.0.0.1"),
        ("10.0.0.0/24", "10.0.0.2", "10.0.0.2"),
        ("*", "10.0.0.2", "10.0.0.2"),
    ],
)
def test_a_peer_is_called_at_its_host_or_where_it_called_from(
    database: Database, host: str, calling_address: str, called: str
) -> None:
    with database.transaction() as session:
        add_peer(session, "A", host, 104)
        assert address_of(session, "A", calling_address) == PeerAddress("A", called, 104)


@pytest.mark.parametrize(("host", "port"), [("10.0.0.1", None), ("*", 104), ("10.0.0.0/24", 104)])
def test_a_peer_without_an_address_to_call_says_so(
    database: Database, host: str, port: int | None
) -> None:
    with database.transaction() as session:
        add_peer(session, "A", host, port)
        with pytest.raises(RecordNotFound, match="A has no address to call"):
            address_of(session, "A")
