"""Reads whole PDUs from an association's socket into one buffer that is used again and again."""

import socket
import time
from collections.abc import Callable
from typing import Final

from dicom_node.receive.pdu import PDU_HEADER_BYTES, PDUHeader

#: How long a blocked read goes without asking whether somebody wants the thread for something else.
_LOOK_UP_SECONDS: Final = 0.2


class Interrupted(Exception):
    """The association is to be aborted, or its thread is to end."""


class ConnectionBroken(OSError):
    """The peer left, sends too slowly, or announced a PDU larger than any we accept."""


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
        transport: socket.socket,
        must_end: Callable[[], bool],
        has_to_send: Callable[[], bool],
        maximum_pdu_bytes: int,
        pdu_seconds: float,
    ) -> None:
        self._transport = transport
        self._must_end = must_end
        self._has_to_send = has_to_send
        self._maximum_pdu_bytes = maximum_pdu_bytes
        self._pdu_seconds = pdu_seconds
        self._buffer = bytearray(PDU_HEADER_BYTES)

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

    def send(self, pdu: bytes) -> None:
        """Send a PDU.

        Raises
        ------
        OSError
            If the peer left, or reads too slowly.
        """
        self._transport.settimeout(self._pdu_seconds)
        self._transport.sendall(pdu)

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
        while (left := deadline - time.monotonic()) > 0:
            self._transport.settimeout(min(left, _LOOK_UP_SECONDS))
            try:
                received = self._transport.recv_into(view)
            except TimeoutError:
                if self._must_end():
                    raise Interrupted from None
                if gives_way and self._has_to_send():
                    return 0
                continue
            if not received:
                raise ConnectionBroken("the peer left")
            return received
        return 0
