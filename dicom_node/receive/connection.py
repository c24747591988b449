"""Reads whole PDUs from an association's socket into one buffer that is used again and again."""

import select
import socket
import ssl
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from dicom_node.receive.pdu import PDU_HEADER_BYTES, PDUHeader

#: How long a blocked read goes without asking whether somebody wants the thread for something else.
_LOOK_UP_SECONDS: Final = 0.2


class Interrupted(Exception):
    """The association is to be aborted, or its thread is to end."""


class ConnectionBroken(OSError):
    """The peer left, sends too slowly, or announced a PDU larger than any we accept."""


class _PlainTransport:
    """A socket whose waits the kernel ends: one call takes all that was asked for.

    Python's own time-out asks the kernel twice for whatever has come, and takes its turn among the
    threads each time.
    """

    def __init__(self, connection: socket.socket, send_seconds: float) -> None:
        self._connection = connection
        self._set(socket.SO_RCVTIMEO, _LOOK_UP_SECONDS)
        self._set(socket.SO_SNDTIMEO, send_seconds)

    def take_over(self) -> None:
        """Wait as this class does, whatever somebody else's way was."""
        self._connection.setblocking(True)

    def receive(self, view: memoryview) -> int | None:
        """Return how many bytes came, 0 once the peer has left; None where none did for a while."""
        try:
            return self._connection.recv_into(view, 0, socket.MSG_WAITALL)
        except BlockingIOError:
            return None

    def has_come(self) -> bool:
        """Whether something can be received without waiting, be it that the peer has left."""
        return _is_readable(self._connection)

    def send(self, pdu: bytes) -> None:
        """Send all of it."""
        self._connection.sendall(pdu)

    def _set(self, option: int, seconds: float) -> None:
        whole = int(seconds)
        interval = struct.pack("ll", whole, round((seconds - whole) * 1e6))
        self._connection.setsockopt(socket.SOL_SOCKET, option, interval)


class _TLSTransport:
    """A TLS socket, which waits in Python: what has come is not yet what can be read."""

    def __init__(self, connection: ssl.SSLSocket, send_seconds: float) -> None:
        self._connection = connection
        self._send_seconds = send_seconds

    def take_over(self) -> None:
        """Wait as this class does, whatever somebody else's way was."""
        self._connection.settimeout(_LOOK_UP_SECONDS)

    def receive(self, view: memoryview) -> int | None:
        """Return how many bytes came, 0 once the peer has left; None where none did for a while."""
        try:
            return self._connection.recv_into(view)
        except TimeoutError:
            return None

    def has_come(self) -> bool:
        """Whether something can be received without waiting, be it that the peer has left."""
        return self._connection.pending() > 0 or _is_readable(self._connection)

    def send(self, pdu: bytes) -> None:
        """Send all of it."""
        self._connection.settimeout(self._send_seconds)
        self._connection.sendall(pdu)
        self._connection.settimeout(_LOOK_UP_SECONDS)


def _is_readable(connection: socket.socket) -> bool:
    # Not select(), which fails once a process holds many descriptors.
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


class Connection:
    """One connection.

    Parameters
    ----------
    must_end
        Whether the association is to be aborted or its thread to end: ends a wait anywhere.
    has_to_send
        Whether something of ours waits to go out: ends a wait for a new PDU where the caller says
        that it may, never one for the rest of a PDU.
    maximum_pdu_bytes
        A longer PDU is refused before it is read.
    pdu_seconds
        From the first byte of a PDU to its last.
    """

    def __init__(
        self,
        connection: socket.socket,
        must_end: Callable[[], bool],
        has_to_send: Callable[[], bool],
        maximum_pdu_bytes: int,
        pdu_seconds: float,
    ) -> None:
        self._transport = (
            _TLSTransport(connection, pdu_seconds)
            if isinstance(connection, ssl.SSLSocket)
            else _PlainTransport(connection, pdu_seconds)
        )
        self._socket = connection
        self._must_end = must_end
        self._has_to_send = has_to_send
        self._unread: bytes | None = None
        self._maximum_pdu_bytes = maximum_pdu_bytes
        self._pdu_seconds = pdu_seconds
        self._buffer = bytearray(PDU_HEADER_BYTES)

    def take_over(self) -> None:
        """Read from now on here; the connection's time-out is no longer what others left it."""
        self._transport.take_over()

    def read_pdu(self, wait_seconds: float, *, gives_way: bool = False) -> memoryview | None:
        """Return the next PDU with its header, valid until the next call; None if none begins.

        Parameters
        ----------
        gives_way
            Whether to stop waiting, too, when something of ours waits to go out.

        Raises
        ------
        Interrupted
            If the association must end.
        ConnectionBroken
            If the PDU does not come whole.
        """
        if self._must_end():
            raise Interrupted
        if self._unread is not None:
            unread, self._unread = self._unread, None
            return memoryview(unread)
        if gives_way and self._has_to_send():
            return None
        begun = self._receive(
            memoryview(self._buffer)[:PDU_HEADER_BYTES], wait_seconds, gives_way=gives_way
        )
        if not begun:
            return None
        deadline = time.monotonic() + self._pdu_seconds
        self._fill(begun, PDU_HEADER_BYTES, deadline)
        length = PDUHeader.parse(memoryview(self._buffer)[:PDU_HEADER_BYTES]).length
        if length > self._maximum_pdu_bytes:
            raise ConnectionBroken("a PDU larger than any we accept was announced")
        end = PDU_HEADER_BYTES + length
        if len(self._buffer) < end:
            self._buffer = self._buffer[:PDU_HEADER_BYTES] + bytearray(length)
        self._fill(PDU_HEADER_BYTES, end, deadline)
        return memoryview(self._buffer)[:end]

    def has_come(self) -> bool:
        """Whether the next PDU may have begun to come; never after one was put back.

        Raises
        ------
        Interrupted
            If the association must end.
        """
        if self._must_end():
            raise Interrupted
        return self._unread is None and self._transport.has_come()

    @property
    def has_unread(self) -> bool:
        """Whether a PDU was put back."""
        return self._unread is not None

    def unread(self, pdu: memoryview) -> None:
        """Put a PDU back, to be the next one read."""
        self._unread = bytes(pdu)

    def send_at_once(self) -> None:
        """Let no small PDU wait in the kernel for the acknowledgement of the one before."""
        with suppress(OSError):
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, pdu: bytes) -> None:
        """Send a PDU.

        Raises
        ------
        OSError
            If the peer left, or reads too slowly.
        """
        self._transport.send(pdu)

    def _fill(self, start: int, end: int, deadline: float) -> None:
        view = memoryview(self._buffer)
        while start < end:
            received = self._receive(view[start:end], deadline - time.monotonic())
            if not received:
                raise ConnectionBroken("the peer stalls in the middle of a PDU")
            start += received

    def _receive(self, view: memoryview, wait_seconds: float, *, gives_way: bool = False) -> int:
        """Return how many bytes came; 0 if none did in that time."""
        deadline = time.monotonic() + wait_seconds
        while time.monotonic() < deadline:
            received = self._transport.receive(view)
            if received is None:
                if self._must_end():
                    raise Interrupted
                if gives_way and self._has_to_send():
                    return 0
                continue
            if not received:
                raise ConnectionBroken("the peer left")
            return received
        return 0
