"""The process-wide settings of pynetdicom, and four repairs, in one place."""

import errno
import socket
import ssl
import time
from contextlib import suppress
from typing import Final

from pynetdicom import _config
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import DimseServiceType
from pynetdicom.fsm import TRANSITION_TABLE, StateMachine
from pynetdicom.transport import AssociationSocket

from core.logs import get_logger

#: Far above what we offer to receive and any A-ASSOCIATE-RQ; the length field counts to 4 GiB.
MAXIMUM_PDU_BYTES: Final = 1 << 20
#: From the first byte of a PDU to its last: 17 kB a second for the largest.
PDU_SECONDS: Final = 60.0

_log = get_logger(__name__)
_act_by_pynetdicom: Final = StateMachine.do_action
_serve_by_pynetdicom: Final = Association._serve_request  # noqa: SLF001


def configure_pynetdicom() -> None:
    """Keep patients out of its logs, send files as they are, and close what is closed.

    By default pynetdicom formats every message for its log, identifiers included: that is patient
    data, and time. And it would decode and encode again each file it sends. Harmless to repeat.
    """
    _config.LOG_HANDLER_LEVEL = "none"
    _config.LOG_REQUEST_IDENTIFIERS = False
    _config.LOG_RESPONSE_IDENTIFIERS = False
    _config.STORE_SEND_CHUNKED_DATASET = True
    # Its own (3.0.4, the version we pin) skips close() where shutdown() fails, which it does on any
    # connection the peer has left: a descriptor stays open for each refused call and each probe.
    AssociationSocket._shutdown_socket = close_socket  # type: ignore[assignment, method-assign]  # noqa: SLF001
    # Its own reads whatever length a caller announces, listed or not, into memory, and waits for
    # the rest of a PDU without end, in a thread that then keeps a place no other caller gets.
    AssociationSocket.recv = receive  # type: ignore[assignment, method-assign]
    # Its own ends the reading thread by an exception where a word of ours crosses the peer's,
    # as our answer to a release and what the peer sent behind that release.
    StateMachine.do_action = act  # type: ignore[assignment, method-assign]
    # Its own drops an answer that an association's thread took the moment before it paused for the
    # request: on a busy machine whoever asked waited out the time-out now and then.
    Association._serve_request = serve  # type: ignore[assignment, method-assign]  # noqa: SLF001


def act(machine: StateMachine, event: str) -> None:
    """Let the state machine of PS3.8 9.2 take an event; one its state does not know ends it all."""
    if (event, machine.current_state) in TRANSITION_TABLE:
        _act_by_pynetdicom(machine, event)
        return
    provider = machine.dul
    peer = (provider.assoc.requestor.ae_title or "").strip()
    _log.warning(
        "association_broken_off", peer=peer, cause=f"{event} came in {machine.current_state}"
    )
    if provider.socket is not None:
        provider.socket.close()
    provider.kill_dul()


def serve(association: Association, message: DimseServiceType, context_id: int) -> None:
    """Serve a request; an answer is left to whoever waits for one."""
    is_awaited = not association._reactor_checkpoint.is_set()  # noqa: SLF001
    if message.is_valid_request or not is_awaited:
        _serve_by_pynetdicom(association, message, context_id)
        return
    messages = association.dimse.msg_queue
    with messages.not_empty:
        # Before those that came after it.
        messages.queue.appendleft((context_id, message))
        messages.not_empty.notify()


def close_socket(transport: AssociationSocket) -> None:
    """Shut a connection down and close it, whatever state it is in."""
    connection = transport.socket
    if connection is None:
        return
    # ValueError: the handshake failed, so there is no TLS to end.
    with suppress(OSError, ValueError):
        if isinstance(connection, ssl.SSLSocket):
            # Says that nothing more comes (RFC 8446 6.1), and does not wait for the same answer.
            connection.setblocking(False)
            connection.unwrap()
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def receive(transport: AssociationSocket, length_bytes: int) -> bytearray:
    """Return that many bytes of a PDU, fewer where the peer closes before.

    Raises
    ------
    OSError
        If the PDU is too large, too slow, or the connection breaks; pynetdicom closes it then.
    """
    connection = transport.socket
    if connection is None:
        raise OSError(errno.ENOTCONN, "the connection is closed")
    if length_bytes > MAXIMUM_PDU_BYTES:
        raise OSError(errno.EMSGSIZE, "a PDU larger than any we accept was announced")
    received, deadline = bytearray(), time.monotonic() + PDU_SECONDS
    while len(received) < length_bytes:
        connection.settimeout(max(deadline - time.monotonic(), 0.001))
        chunk = connection.recv(min(length_bytes - len(received), 1 << 16))
        if not chunk:
            break
        received += chunk
    # For sending, too: a peer that reads nothing must not hold the thread.
    connection.settimeout(PDU_SECONDS)
    return received
