"""Syslog: RFC 5424 over TLS (RFC 5425), TCP (RFC 6587, octet counting) or UDP (RFC 5426)."""

import socket
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final, Protocol
from urllib.parse import urlsplit

from core.calling_tls import CallingTLS
from core.errors import InfrastructureError
from core.settings import Settings
from core.tls import CertificateUnusable, explain_fault

#: Facility 10, security and authorisation; severity 5, notice (PS3.15 A.6).
_PRIORITY: Final = 10 * 8 + 5
_MESSAGE_ID: Final = "DICOM+RFC3881"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
#: For opening a connection, and for a collector that reads no more.
_PATIENCE_SECONDS: Final = 10.0


class CollectorAway(InfrastructureError):
    """The collector of audit messages does not answer."""


def syslog_message(content: bytes, host: str, process: int, at: datetime) -> bytes:
    """Return a message of RFC 5424 that carries an audit message."""
    moment = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    head = f"<{_PRIORITY}>1 {moment} {host or '-'} arcuate {process} {_MESSAGE_ID} - "
    return head.encode("ascii", "replace") + _BYTE_ORDER_MARK + content


class Wire(Protocol):
    """A way to a collector that is open."""

    def send(self, message: bytes) -> None:
        """Send one; raises CollectorAway."""

    def check(self) -> None:
        """Raise CollectorAway if the collector left."""

    def close(self) -> None:
        """Let go of it."""


class StreamWire:
    """TLS or TCP: messages with their length before them."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def send(self, message: bytes) -> None:
        """Send one."""
        try:
            self._connection.settimeout(_PATIENCE_SECONDS)
            self._connection.sendall(b"%d " % len(message) + message)
        except OSError as error:
            raise CollectorAway(_cause(error)) from error

    def check(self) -> None:
        """Look whether the collector left: it never writes, so there is nothing else to read."""
        try:
            self._connection.settimeout(0.0)
            has_left = self._connection.recv(1) == b""
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        except OSError as error:
            raise CollectorAway(_cause(error)) from error
        if has_left:
            raise CollectorAway("The collector of audit messages closed the connection")

    def close(self) -> None:
        """End TLS properly, so that the collector keeps what it has read, and close."""
        with suppress(OSError):
            self._connection.settimeout(1.0)
            if isinstance(self._connection, ssl.SSLSocket):
                self._connection.unwrap()
        self._connection.close()


class DatagramWire:
    """UDP, on this machine only: nobody says what arrived."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def send(self, message: bytes) -> None:
        """Send one."""
        try:
            self._connection.send(message)
        except OSError as error:
            raise CollectorAway(_cause(error)) from error

    def check(self) -> None:
        """Look whether the machine said that nobody listens; it says so of what was sent before."""
        error = self._connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise CollectorAway(_cause(OSError(error, "nobody listens")))

    def close(self) -> None:
        """Close."""
        self._connection.close()


def open_wire(settings: Settings) -> Wire:
    """Open the way to the collector that the settings name.

    Raises
    ------
    CollectorAway
        If it does not answer, or is not the one it should be.
    """
    address = urlsplit(settings.audit_syslog)
    host, port = address.hostname or "", address.port or 0
    try:
        if address.scheme == "udp":
            return DatagramWire(_datagrams(host, port))
        connection = socket.create_connection((host, port), _PATIENCE_SECONDS)
        if address.scheme == "tls":
            return StreamWire(_encrypted(connection, host, settings))
        return StreamWire(connection)
    except CertificateUnusable as error:
        raise CollectorAway(f"audit_syslog: {error}") from error
    except OSError as error:
        raise CollectorAway(_cause(error)) from error


def _datagrams(host: str, port: int) -> socket.socket:
    family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    connection = socket.socket(family, socket.SOCK_DGRAM)
    connection.connect(address)
    return connection


def _encrypted(connection: socket.socket, host: str, settings: Settings) -> socket.socket:
    try:
        context = CallingTLS(settings).context_for(None)
        return context.wrap_socket(connection, server_hostname=host)
    except BaseException:
        connection.close()
        raise


def _cause(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"The collector's certificate is not trusted: {error.verify_message}; see tls_peer_ca"
        )
    said = explain_fault(error) if isinstance(error, ssl.SSLError) else error.strerror or str(error)
    return f"The collector of audit messages does not answer: {said}"
