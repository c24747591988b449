"""Letting in a caller that was refused, as it called."""

from ipaddress import IPv6Address, ip_address

from sqlmodel import Session, col, select

from core.clock import Clock, utc_now
from core.errors import NodeError, RecordNotFound
from core.tables.peers import PeerRow, RefusedCallerRow
from dicom_node.callers import Refusal
from dicom_node.peers import add_peer, calls_from_its_host


class AllowingUseless(NodeError):
    """The caller was refused for another reason than that it is not known."""


class PeerElsewhere(NodeError):
    """A peer of that AE title is known at another address; say that it moved."""


def allow_caller(
    session: Session,
    calling_ae_title: str,
    address: str,
    *,
    moved: bool = False,
    clock: Clock = utc_now,
) -> PeerRow:
    """Let a refused caller in from the address it called from; receivers look at each association.

    Parameters
    ----------
    moved
        Whether a peer of that AE title at another address is this one: it may then no more call
        from there. All else that is known of it stays.

    Raises
    ------
    RecordNotFound
        If no such caller was refused.
    AllowingUseless
        If knowing it would not let it in.
    PeerElsewhere
        If the AE title is known elsewhere, and nothing says that it moved.
    PeerInvalid
        If what it calls itself is no AE title.
    """
    if not is_unknown(session, calling_ae_title, address):
        raise AllowingUseless
    host = plain_address(address)
    peer = session.get(PeerRow, calling_ae_title)
    if peer is None:
        return add_peer(session, calling_ae_title, host, clock=clock)
    if not calls_from_its_host(peer, address):
        if not moved:
            raise PeerElsewhere
        peer.host = host
        session.flush()
    return peer


def is_unknown(session: Session, calling_ae_title: str, address: str) -> bool:
    """Whether a caller was refused because it is not known, the last time.

    Raises
    ------
    RecordNotFound
        If it was never refused.
    """
    statement = select(RefusedCallerRow.reason).where(
        col(RefusedCallerRow.calling_ae_title) == calling_ae_title,
        col(RefusedCallerRow.address) == address,
    )
    reasons = session.exec(statement).all()
    if not reasons:
        raise RecordNotFound("No such caller was refused")
    return Refusal.CALLING_AE_TITLE_NOT_RECOGNISED in reasons


def plain_address(address: str) -> str:
    """Return an address as peers are known by: that of an IPv4 caller in its own form."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return str(mapped or parsed)
