"""Sending many answers of one request: written to the socket themselves, many at a time.

pynetdicom encodes each answer in a queue without a bound and sends one in each turn of a thread. A
peer that reads slowly would make the queue as long as the archive; here it makes the sender wait.
"""

import socket
import ssl
import time
from contextlib import suppress
from typing import Any, Final

from pynetdicom.association import Association
from pynetdicom.pdu_primitives import P_DATA

from dicom_node.pynetdicom_settings import PDU_SECONDS
from dicom_node.receive.pdu import FRAGMENT_HEADER_BYTES, Fragment, fragment_pdu

#: Sent once so much is gathered: many answers of the usual few hundred bytes.
_BATCH_BYTES: Final = 32 << 10
#: What a peer that names no limit is sent in one fragment.
_LARGEST_FRAGMENT: Final = 64 << 10
#: PDUs that wait in pynetdicom's queue where we go through it.
_LONGEST_QUEUE: Final = 32
_LOOK_UP_SECONDS: Final = 0.005


class PeerGone(OSError):
    """The peer left, or reads nothing any more."""


class AnswerStream:
    """The answers of one request, in order."""

    def __init__(self, association: Association, context_id: int) -> None:
        self._association = association
        self._context_id = context_id
        self._gathered: list[bytes] = []
        self._gathered_bytes = 0
        limit = association.dimse.maximum_pdu_size or _LARGEST_FRAGMENT
        self._fragment_bytes = min(limit, _LARGEST_FRAGMENT) - FRAGMENT_HEADER_BYTES

    def add(self, command: bytes, data_set: bytes) -> bool:
        """Take in an answer; return whether what was gathered is sent with it.

        Raises
        ------
        PeerGone
            If the peer left, or did not read for a long time.
        """
        for is_command, data in ((True, command), (False, data_set)):
            for start in range(0, len(data), self._fragment_bytes):
                piece = data[start : start + self._fragment_bytes]
                is_last = start + len(piece) == len(data)
                pdu = fragment_pdu(Fragment(self._context_id, is_command, is_last, piece))
                self._gathered.append(pdu)
                self._gathered_bytes += len(pdu)
        if self._gathered_bytes < _BATCH_BYTES:
            return False
        self.flush()
        return True

    def flush(self) -> None:
        """Send what is gathered; errors as `add`."""
        pdus, self._gathered, self._gathered_bytes = self._gathered, [], 0
        transport = self._association.dul.socket
        connection = transport.socket if transport is not None else None
        if connection is None or not self._association.is_established:
            raise PeerGone("the association ended")
        with suppress(OSError):
            # What ends the answers is written after them: it must not wait 40 ms for the peer's
            # delayed acknowledgement.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if isinstance(connection, ssl.SSLSocket):
            # Its state is one for both directions, and pynetdicom's thread may be reading.
            self._queue(pdus)
        else:
            _write(connection, b"".join(pdus))

    def _queue(self, pdus: list[bytes]) -> None:
        queue, deadline = self._association.dul.to_provider_queue, time.monotonic() + PDU_SECONDS
        for pdu in pdus:
            while queue.qsize() >= _LONGEST_QUEUE:
                if time.monotonic() > deadline or not self._association.is_established:
                    raise PeerGone("the peer reads nothing any more")
                time.sleep(_LOOK_UP_SECONDS)
            queue.put(_primitive(pdu))


def _write(connection: socket.socket, data: bytes) -> None:
    # A socket object of our own: pynetdicom's thread changes how long the other one waits.
    own = connection.dup()
    try:
        own.settimeout(PDU_SECONDS)
        own.sendall(data)
    except OSError as error:
        raise PeerGone("the peer left, or reads nothing any more") from error
    finally:
        own.close()


def _primitive(pdu: bytes) -> Any:
    """Return the fragment of a PDU as pynetdicom takes it: context, control header, data."""
    header = FRAGMENT_HEADER_BYTES + 4
    primitive = P_DATA()
    primitive.presentation_data_value_list.append((pdu[header], pdu[header + 1 :]))
    return primitive
