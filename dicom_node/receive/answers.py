"""Writing many answers to one request, by the thread that reads the association.

They go to the socket themselves, many at a time: a peer that reads slowly makes the sender wait,
where a queue would grow as long as the archive. Between them this thread looks whether the peer
takes its request back.
"""

from typing import Final

from dicom_node.receive.commands import read_cancelled
from dicom_node.receive.connection import Connection
from dicom_node.receive.pdu import (
    ENDINGS,
    FRAGMENT_HEADER_BYTES,
    P_DATA_TF,
    PDU_HEADER_BYTES,
    Fragment,
    PDUHeader,
    fragment_pdu,
    fragments_of,
)

#: Sent once so much is gathered: many answers of the usual few hundred bytes.
_BATCH_BYTES: Final = 32 << 10
#: What a peer that names no limit is sent in one fragment.
_LARGEST_FRAGMENT: Final = 64 << 10
#: What has come is there at once, or does not count yet.
_AT_ONCE_SECONDS: Final = 0.001


class PeerGone(OSError):
    """The peer left, or reads nothing any more."""


class Answers:
    """The answers to one request, in order.

    Parameters
    ----------
    maximum_pdu_bytes
        The longest PDU the peer takes; 0 where it names no limit.
    """

    def __init__(
        self, connection: Connection, context_id: int, message_id: int, maximum_pdu_bytes: int
    ) -> None:
        self._connection = connection
        self._context_id = context_id
        self._message_id = message_id
        limit = min(maximum_pdu_bytes or _LARGEST_FRAGMENT, _LARGEST_FRAGMENT)
        # A limit that leaves room for nothing is none that can be kept.
        self._fragment_bytes = max(limit - FRAGMENT_HEADER_BYTES, 1)
        self._gathered: list[bytes] = []
        self._gathered_bytes = 0
        self._is_cancelled = False
        # Small answers must not wait 40 ms for the acknowledgement of the ones before.
        connection.send_at_once()

    def add(self, command: bytes, data_set: bytes = b"") -> bool:
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
        try:
            self._connection.send(b"".join(pdus))
        except OSError as error:
            raise PeerGone("the peer left, or reads nothing any more") from error

    def is_cancelled(self) -> bool:
        """Whether the peer took the request back, or ends the association, by what came by now.

        What came and is no cancel is left for whoever reads next; behind it none is seen.

        Raises
        ------
        PeerGone
            If the peer left.
        Interrupted
            If the association must end.
        MalformedPDU
            If what came is none.
        """
        while not self._is_cancelled and self._connection.has_come():
            try:
                pdu = self._connection.read_pdu(_AT_ONCE_SECONDS)
            except OSError as error:
                raise PeerGone("the peer left") from error
            if pdu is None:
                break
            self._take(pdu)
        return self._is_cancelled

    def _take(self, pdu: memoryview) -> None:
        kind = PDUHeader.parse(pdu[:PDU_HEADER_BYTES]).pdu_type
        if kind == P_DATA_TF and self._cancels(pdu):
            self._is_cancelled = True
            return
        self._is_cancelled = kind in ENDINGS
        self._connection.unread(pdu)

    def _cancels(self, pdu: memoryview) -> bool:
        fragments = list(fragments_of(pdu[PDU_HEADER_BYTES:]))
        if len(fragments) != 1 or not (fragments[0].is_command and fragments[0].is_last):
            return False
        return read_cancelled(bytes(fragments[0].data)) == self._message_id
