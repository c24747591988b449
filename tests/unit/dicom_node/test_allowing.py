from datetime import UTC, datetime

import pytest
from sqlmodel import Session

from core.database import Database
from core.errors import RecordNotFound
from core.tables.peers import PeerRow, RefusedCallerRow
from dicom_node.allowing import AllowingUseless, PeerElsewhere, allow_caller, plain_address
from dicom_node.callers import Refusal
from dicom_node.calling_errors import PeerInvalid
from dicom_node.peers import add_peer, calls_from_its_host

_AT = datetime(2026, 3, 4, 9, tzinfo=UTC)
_UNKNOWN = Refusal.CALLING_AE_TITLE_NOT_RECOGNISED


def _refuse(
    session: Session, ae_title: str = "OCT1", address: str = "192.0.2.7", reason: str = _UNKNOWN
) -> None:
    row = RefusedCallerRow(
        calling_ae_title=ae_title,
        address=address,
        called_ae_title="ARCUATE",
        reason=reason,
        first_seen_at=_AT,
        last_seen_at=_AT,
    )
    session.add(row)
    session.flush()


def test_unknown_caller_becomes_a_peer_at_its_address_alone(database: Database) -> None:
    with database.transaction() as session:
        _refuse(session)
        allow_caller(session, "OCT1", "192.0.2.7", clock=lambda: _AT)

    with database.reading() as session:
        peer = session.get_one(PeerRow, "OCT1")
    assert (peer.host, peer.port, peer.added_at) == ("192.0.2.7", None, _AT)
    assert calls_from_its_host(peer, "192.0.2.7")
    assert not calls_from_its_host(peer, "192.0.2.8")


def test_address_of_an_ipv4_caller_on_a_socket_of_both_families_is_understood(
    database: Database,
) -> None:
    with database.transaction() as session:
        _refuse(session, address="::ffff:192.0.2.7")
        peer = allow_caller(session, "OCT1", "::ffff:192.0.2.7")

        assert peer.host == "192.0.2.7"
        assert calls_from_its_host(peer, "::ffff:192.0.2.7")
    assert plain_address("2001:db8::1") == "2001:db8::1"


def test_peer_known_elsewhere_moves_only_when_somebody_says_so(database: Database) -> None:
    with database.transaction() as session:
        add_peer(session, "OCT1", "192.0.2.1", 11112, "Room 2")
        _refuse(session)
        with pytest.raises(PeerElsewhere):
            allow_caller(session, "OCT1", "192.0.2.7")
        peer = allow_caller(session, "OCT1", "192.0.2.7", moved=True)

    assert (peer.host, peer.port, peer.description) == ("192.0.2.7", 11112, "Room 2")


def test_allowing_again_changes_nothing(database: Database) -> None:
    with database.transaction() as session:
        add_peer(session, "OCT1", "192.0.2.0/24")
        _refuse(session)
        peer = allow_caller(session, "OCT1", "192.0.2.7", moved=True)

    assert peer.host == "192.0.2.0/24"


@pytest.mark.parametrize("reason", [reason for reason in Refusal if reason is not _UNKNOWN])
def test_a_caller_that_knowing_would_not_let_in_is_not_added(
    database: Database, reason: Refusal
) -> None:
    with database.transaction() as session:
        _refuse(session, reason=reason)
        with pytest.raises(AllowingUseless):
            allow_caller(session, "OCT1", "192.0.2.7")

    with database.reading() as session:
        assert session.get(PeerRow, "OCT1") is None


def test_only_who_was_refused_can_be_allowed(database: Database) -> None:
    with database.transaction() as session:
        _refuse(session)
        for ae_title, address in (("OCT2", "192.0.2.7"), ("OCT1", "192.0.2.9")):
            with pytest.raises(RecordNotFound):
                allow_caller(session, ae_title, address)


def test_what_is_no_ae_title_is_not_added(database: Database) -> None:
    with database.transaction() as session:
        _refuse(session, ae_title="OCT\ufffd")
        with pytest.raises(PeerInvalid):
            allow_caller(session, "OCT\ufffd", "192.0.2.7")
