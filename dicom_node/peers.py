"""The application entities we know: who may call, and from where."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Final, Self

from sqlmodel import Session, col, select

from core.clock import Clock, utc_now
from core.errors import RecordNotFound
from core.peer_echoes import forget_echo
from core.rhythm import parse_days, parse_every
from core.tables.peers import PeerRow, RefusedCallerRow
from core.tls import CertificateUnusable, read_fingerprint
from dicom_node.calling_errors import PeerInvalid

#: Nothing is expected of a peer.
NEVER: Final = "never"
#: Any address.
ANYWHERE: Final = "*"
#: PS3.5 AE: 1 to 16 characters, no backslash, no control characters, no padding.
_AE_TITLE: Final = re.compile(r"[!-\[\]-~](?:[ -\[\]-~]{0,14}[!-\[\]-~])?")
_PEER_ADDRESS: Final = re.compile(r"(?P<ae_title>[^@]+)@(?P<host>.+):(?P<port>[0-9]{1,5})")


@dataclass(frozen=True)
class PeerAddress:
    """Where an application entity listens, and whether it is called there over TLS.

    Attributes
    ----------
    certificate_sha256
        The one certificate it may show there; None where any will do that names its host.
    """

    ae_title: str
    host: str
    port: int
    tls: bool = False
    certificate_sha256: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `AET@HOST:PORT`; an IPv6 address may stand in brackets.

        Raises
        ------
        PeerInvalid
            If it is not of that form.
        """
        match = _PEER_ADDRESS.fullmatch(text)
        if match is None:
            raise PeerInvalid(f"{text!r} is not of the form AET@HOST:PORT")
        port = int(match["port"])
        _check(match["ae_title"], port)
        return cls(match["ae_title"], match["host"].strip("[]"), port)

    def __str__(self) -> str:
        return f"{self.ae_title}@{self.host}:{self.port}"


@dataclass(frozen=True)
class ExpectedRhythm:
    """How often a peer must send, as an administrator writes it.

    Attributes
    ----------
    every
        A time like `24h`, or `never` where nothing is expected.
    days
        The days that count, like `mon-fri`; empty for all.
    """

    every: str
    days: str = ""

    def expect_of(self, peer: PeerRow) -> None:
        """Write it into a peer's row."""
        parse_days(self.days)
        is_expected = self.every != NEVER
        peer.expect_every_seconds = (
            int(parse_every(self.every).total_seconds()) if is_expected else None
        )
        peer.expect_days = self.days.strip().lower() if is_expected else ""


def add_peer(
    session: Session,
    ae_title: str,
    host: str = ANYWHERE,
    port: int | None = None,
    description: str = "",
    certificate: bytes | None = None,
    tls: bool | None = None,
    rhythm: ExpectedRhythm | None = None,
    clock: Clock = utc_now,
) -> PeerRow:
    """Let an application entity call us, or change where it calls from.

    Parameters
    ----------
    host
        Address, network in CIDR notation, or `*` for anywhere.
    port
        Where it listens, if it does; None leaves it as it was: removing the peer forgets it.
    description
        For people; empty leaves what stood there.
    certificate
        In PEM or DER: it may call over TLS with this one only. None leaves it bound as it was;
        removing the peer unbinds it.
    tls
        Whether we call it over TLS; None leaves it as it was, at first without.
    rhythm
        How often it must send; None leaves what was expected of it.

    Raises
    ------
    PeerInvalid
        If the AE title, host, port or certificate is malformed.
    RhythmInvalid
        If the rhythm is.
    """
    _check(ae_title, port)
    if not _is_host(host):
        raise PeerInvalid(f"{host!r} is neither an address, a network in CIDR notation, nor *")
    peer = session.get(PeerRow, ae_title)
    if peer is None:
        peer = PeerRow(ae_title=ae_title, host=host, added_at=clock())
    peer.host = host
    peer.port = port or peer.port
    peer.description = description or peer.description
    if certificate is not None:
        peer.certificate_sha256 = _fingerprint(certificate)
    if tls is not None:
        peer.tls = tls
    if rhythm is not None:
        rhythm.expect_of(peer)
    session.add(peer)
    session.flush()
    return peer


def remove_peer(session: Session, ae_title: str) -> None:
    """Let an application entity call no more.

    Raises
    ------
    RecordNotFound
        If there is no such peer.
    """
    peer = session.get(PeerRow, ae_title)
    if peer is None:
        raise RecordNotFound(f"There is no peer {ae_title}; `arcuate peers list` shows all")
    session.delete(peer)
    forget_echo(session, ae_title)


def list_peers(session: Session) -> Sequence[PeerRow]:
    """Return every peer by AE title."""
    return session.exec(select(PeerRow).order_by(col(PeerRow.ae_title))).all()


def list_refused_callers(session: Session) -> Sequence[RefusedCallerRow]:
    """Return every refused caller, the latest first."""
    latest_first = col(RefusedCallerRow.last_seen_at).desc()
    return session.exec(select(RefusedCallerRow).order_by(latest_first)).all()


def address_of(session: Session, ae_title: str, calling_address: str = "") -> PeerAddress:
    """Return where a peer listens.

    Parameters
    ----------
    calling_address
        Where it called from; taken for its host where it is known by a network or anywhere.

    Raises
    ------
    RecordNotFound
        If there is no such peer, it was added without a port, or its host is not known.
    """
    peer = session.get(PeerRow, ae_title)
    if peer is None:
        raise RecordNotFound(f"There is no peer {ae_title}; `arcuate peers list` shows all")
    is_one_host = peer.host != ANYWHERE and "/" not in peer.host
    host = peer.host if is_one_host else calling_address
    if peer.port is None or not host:
        raise RecordNotFound(
            f"{ae_title} has no address to call: add it again with one host and a --port"
        )
    return PeerAddress(peer.ae_title, host, peer.port, peer.tls, peer.certificate_sha256)


def calls_from_its_host(peer: PeerRow, address: str) -> bool:
    """Whether an address is one this peer calls from."""
    if peer.host == ANYWHERE:
        return True
    try:
        caller = ip_address(address)
    except ValueError:
        return False
    # An IPv4 caller on a socket that serves both families is written ::ffff:a.b.c.d.
    caller = getattr(caller, "ipv4_mapped", None) or caller
    return caller in ip_network(peer.host, strict=False)


def _fingerprint(certificate: bytes) -> str:
    try:
        return read_fingerprint(certificate)
    except CertificateUnusable as error:
        raise PeerInvalid(str(error)) from error


def _is_host(host: str) -> bool:
    if host == ANYWHERE:
        return True
    try:
        ip_network(host, strict=False)
    except ValueError:
        return False
    return True


def _check(ae_title: str, port: int | None) -> None:
    if not _AE_TITLE.fullmatch(ae_title):
        raise PeerInvalid(f"{ae_title!r} is no AE title: 1 to 16 characters, no backslash")
    if port is not None and not 0 < port <= 65535:
        raise PeerInvalid(f"{port} is no port: 1 to 65535")
