"""Where our reader meets pynetdicom: every private name of its that we lean on is in this file.

pynetdicom keeps the association: negotiation, release, abort and every service but C-STORE and
C-FIND. In data transfer (Sta6) its thread, which reads the socket, calls us instead of its own
reader; what is not ours goes back to it byte for byte. Written for 3.0.4, the version that is
pinned; a test fails when these names change.
"""

from collections import deque
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from threading import Event as Flag
from typing import Any, Final

from pynetdicom.association import Association
from pynetdicom.events import Event
from pynetdicom.pdu_primitives import A_ABORT, A_P_ABORT

from core.logs import get_logger
from dicom_node.pynetdicom_settings import MAXIMUM_PDU_BYTES, PDU_SECONDS
from dicom_node.receive.connection import Connection, Interrupted
from dicom_node.receive.find_receiver import FindReceiver, QueryServices
from dicom_node.receive.pdu import (
    INVALID_PDU_PARAMETER,
    REASON_NOT_SPECIFIED,
    UNEXPECTED_PDU,
    UNRECOGNISED_PDU,
    MalformedPDU,
    abort_pdu,
)
from dicom_node.receive.reader import Reader
from dicom_node.receive.store_receiver import (
    AcceptedContext,
    ProtocolViolated,
    StoreReceiver,
    UnrecognisedPDU,
)
from dicom_node.receive.store_tally import StoreTally
from dicom_node.storage.archive import Archive

#: Sta6 of PS3.8 9.2.1: the association is established and ready for data transfer.
_DATA_TRANSFER: Final = "Sta6"
_ABORTS: Final = (A_ABORT, A_P_ABORT)

_log = get_logger(__name__)


class Checkpoint(Flag):
    """pynetdicom's own gate for the thread that serves messages, with a second latch for us.

    Without it that thread would look for messages a thousand times a second while we receive.
    """

    def __init__(self) -> None:
        super().__init__()
        self._unheld = Flag()
        self._unheld.set()
        self.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until both are open."""
        return super().wait(timeout) and self._unheld.wait(timeout)

    @contextmanager
    def held(self) -> Generator[None]:
        """Keep the gate shut in the block."""
        self._unheld.clear()
        try:
            yield
        finally:
            self._unheld.set()


class _Replay:
    """Stands for the socket while a PDU that was already read is read once more."""

    def __init__(self, pdu: bytes) -> None:
        self._rest = pdu

    def recv(self, length: int) -> bytes:
        taken, self._rest = self._rest[:length], self._rest[length:]
        return taken


class Seam:
    """Our reader in the place of an association's own."""

    def __init__(
        self,
        association: Association,
        archive: Archive,
        query_services: QueryServices,
        tally: StoreTally,
    ) -> None:
        self._association = association
        self._tally = tally
        self._provider: Any = association.dul
        self._read_by_pynetdicom = association.dul._read_pdu_data
        self._archive = archive
        self._query_services = query_services
        self._reader: Reader | None = None
        self._checkpoint = Checkpoint()
        self._look_by_pynetdicom = association.dul._is_transport_event
        self._handed_back: deque[bytes] = deque()
        association._reactor_checkpoint = self._checkpoint
        association.dul._is_transport_event = self.look  # type: ignore[method-assign]
        association.dul._read_pdu_data = self.read  # type: ignore[method-assign]

    def look(self) -> bool:
        """See whether something came; called in each turn of pynetdicom's reading thread.

        What was read for it goes back one PDU a turn: its state machine takes one event a turn, and
        stumbles over more.
        """
        if self._handed_back:
            self._hand_back(self._handed_back.popleft())
            return True
        if self._reader is not None and self._reader.has_unread and self._is_transferring():
            self.read()
            return True
        return self._look_by_pynetdicom()

    def read(self) -> None:
        """Read what has come; called by pynetdicom's reading thread when the socket is ready."""
        if not self._is_transferring():
            self._read_by_pynetdicom()
            return
        with self._checkpoint.held():
            self._handed_back.extend(self._serve())
            if self._handed_back:
                self._hand_back(self._handed_back.popleft())
            # Before the gate opens: silence counts from now.
            self._provider._idle_timer.restart()

    def _is_transferring(self) -> bool:
        return bool(self._provider.state_machine.current_state == _DATA_TRANSFER)

    def _serve(self) -> list[bytes]:
        connection = self._provider.socket.socket
        if self._reader is None:
            self._reader = self._reader_of(connection)
        try:
            return self._reader.serve()
        except Interrupted:
            return []
        except MalformedPDU as error:
            self._break_off(error, INVALID_PDU_PARAMETER)
        except UnrecognisedPDU as error:
            self._break_off(error, UNRECOGNISED_PDU)
        except ProtocolViolated as error:
            self._break_off(error, UNEXPECTED_PDU)
        except OSError as error:
            self._break_off(error, REASON_NOT_SPECIFIED)
        finally:
            # pynetdicom sends with it, and a peer that reads slowly is no fault yet.
            with suppress(OSError):
                connection.settimeout(PDU_SECONDS)
        return []

    def _reader_of(self, transport: Any) -> Reader:
        connection = Connection(
            transport, self._must_end, self._has_to_send, MAXIMUM_PDU_BYTES, PDU_SECONDS
        )
        peer, contexts = self._association.requestor.ae_title.strip(), self._contexts()
        stall_seconds = self._association.dimse_timeout or PDU_SECONDS
        limit = self._association.dimse.maximum_pdu_size or 0
        address = self._association.requestor.address or ""
        return Reader(
            connection,
            StoreReceiver(connection, self._archive, peer, contexts, stall_seconds, self._tally),
            FindReceiver(connection, peer, contexts, limit, self._query_services, address),
        )

    def _must_end(self) -> bool:
        waiting = list(self._provider.to_provider_queue.queue)
        return self._provider._kill_thread or any(isinstance(one, _ABORTS) for one in waiting)

    def _has_to_send(self) -> bool:
        return not self._provider.to_provider_queue.empty()

    def _contexts(self) -> Mapping[int, AcceptedContext]:
        return {
            context.context_id or 0: AcceptedContext(
                str(context.abstract_syntax), str(context.transfer_syntax[0])
            )
            for context in self._association.accepted_contexts
        }

    def _break_off(self, error: Exception, reason: int) -> None:
        """Abort the association as its service provider; pynetdicom learns that it is closed."""
        peer = self._association.requestor.ae_title.strip()
        _log.warning("association_broken_off", peer=peer, cause=str(error))
        transport = self._provider.socket
        with suppress(OSError):
            transport.socket.sendall(abort_pdu(reason))
        transport.close()

    def _hand_back(self, pdu: bytes) -> None:
        transport = self._provider.socket
        self._provider.socket = _Replay(pdu)
        try:
            self._read_by_pynetdicom()
        finally:
            self._provider.socket = transport


def handle_connection_opened(
    event: Event,
    archive: Archive,
    query_services: QueryServices,
    tally_of: Callable[[Association], StoreTally],
) -> None:
    """Serve the C-STORE and C-FIND requests of an association ourselves, and count the stores."""
    if event.assoc.is_acceptor:
        Seam(event.assoc, archive, query_services, tally_of(event.assoc))
