"""One association that stores as fast as the receiver takes it: `python -m …raw_sender`.

Everything is encoded before the start; in between only identities are written over each other.
"""

import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from arcuate.bench.ingest import pdu
from arcuate.bench.ingest.encoded_object import (
    PLACEHOLDER,
    EncodedObject,
    Identity,
    write_identity,
)
from arcuate.bench.ingest.pdu import SendFailed
from arcuate.bench.ingest.send_plan import SendPlan, Timed
from arcuate.bench.ingest.starting_line import run_worker

#: Longest wait for anything the receiver does; it ends a measurement that hangs.
PATIENCE_SECONDS: Final = 120
_NAMES: Final = {
    pdu.ASSOCIATE_RJ: "rejected the association",
    0x07: "aborted the association",
}


@dataclass
class RawSender:
    """A storage SCU on one association."""

    connection: socket.socket
    encoded: EncodedObject
    _stream: bytearray = field(default_factory=bytearray)
    _places: dict[str, int] = field(default_factory=dict)

    def associate(self, calling_ae_title: str, called_ae_title: str) -> None:
        """Negotiate, and encode the object in PDUs of the size that is taken.

        Raises
        ------
        SendFailed
            If there is no association, or it does not take the object.
        """
        object_ = self.encoded
        request = pdu.associate_request(
            calling_ae_title, called_ae_title, object_.sop_class_uid, object_.transfer_syntax_uid
        )
        self.connection.sendall(request)
        fragment = pdu.read_acceptance(self._receive(pdu.ASSOCIATE_AC)).fragment_bytes
        self._stream = pdu.data_set_pdus(object_.data_set, fragment)
        self._places = {
            name: pdu.place_in_pdus(object_.places[name], len(value), fragment)
            for name, value in PLACEHOLDER.values.items()
        }

    def store(self, message_id: int, identity: Identity) -> float:
        """Store one copy; return the seconds from its first byte to the response.

        Raises
        ------
        SendFailed
            If the status is not Success, or the association ended.
        """
        write_identity(self._stream, self._places, identity)
        uid = identity.sop_instance_uid
        request = pdu.store_request(message_id, self.encoded.sop_class_uid, uid)
        started = time.monotonic()
        self.connection.sendall(request)
        self.connection.sendall(self._stream)
        status = pdu.read_status(self._receive(pdu.DATA_TF))
        ended = time.monotonic()
        if status != 0x0000:
            raise SendFailed(f"The receiver answered a C-STORE with status 0x{status:04X}")
        return ended - started

    def release(self) -> None:
        """Release the association."""
        self.connection.sendall(pdu.release_request())
        self._receive(pdu.RELEASE_RP)

    def _receive(self, expected: int) -> bytes:
        kind, length = struct.unpack(">BxI", self._read(pdu.HEADER_BYTES))
        body = self._read(length)
        if kind != expected:
            happened = _NAMES.get(kind, f"sent a PDU of type {kind:#04x}")
            detail = f" ({', '.join(map(str, body[1:4]))})" if kind in _NAMES else ""
            raise SendFailed(f"The receiver {happened}{detail}")
        return body

    def _read(self, length: int) -> bytes:
        received = bytearray()
        while len(received) < length:
            chunk = self.connection.recv(length - len(received))
            if not chunk:
                raise SendFailed("The receiver closed the connection")
            received += chunk
        return bytes(received)


def connect(host: str, port: int) -> socket.socket:
    """Return a connection that sends at once and waits for a bounded time."""
    connection = socket.create_connection((host, port), timeout=PATIENCE_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def prepare(plan: SendPlan) -> Callable[[], Timed]:
    """Open the association; return what sends the plan's one share on it."""
    target, (share,) = plan.target, plan.shares
    sender = RawSender(connect(target["host"], target["port"]), plan.stored.load())
    sender.associate(target["calling_ae_title"], target["called_ae_title"])

    def run() -> Timed:
        with sender.connection:
            started = time.monotonic()
            # A Message ID has 16 bits, and only those still unanswered must differ.
            spent = [sender.store(number & 0xFFFF, one) for number, one in enumerate(share)]
            ended = time.monotonic()
            sender.release()
        return Timed(started, ended, tuple(spent))

    return run


if __name__ == "__main__":
    run_worker(prepare)
