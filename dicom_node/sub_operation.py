"""One C-STORE of a retrieval (PS3.4 C.4.2.2.1): a kept object goes out as its bytes are."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import count
from typing import BinaryIO, Final

from pynetdicom.association import Association
from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.dsutils import encode
from pynetdicom.presentation import PresentationContext

from core.errors import NodeError
from core.logs import get_logger
from dicom_node.calling_errors import PeerUnreachable
from dicom_node.errors import ObjectUnreadable
from dicom_node.outlet import Outlet
from dicom_node.receive.pdu import FRAGMENT_HEADER_BYTES, P_DATA_TF
from dicom_node.statuses import Status
from dicom_node.storage.bytes import Storage
from dicom_node.storage.kept_object import data_set_start
from dicom_node.storage.selection import Selected
from dicom_node.storage.uncompressed import Uncompressing

#: Statuses of the kind Warning (PS3.4 B.2.3): the peer kept the instance.
_WARNINGS: Final = range(0xB000, 0xC000)
#: Read and sent at a time, whatever a peer's PDUs hold.
_PIECE_BYTES: Final = 1 << 18
#: Fragments for a peer that takes PDUs of any size.
_LARGEST_FRAGMENT_BYTES: Final = 1 << 17
_LAST: Final = 0x02
_LARGEST_MESSAGE_ID: Final = 0xFFFF

_log = get_logger(__name__)


class Outcome(Enum):
    """How a sub-operation ended."""

    COMPLETED = auto()
    WARNING = auto()
    FAILED = auto()


@dataclass(frozen=True)
class Originator:
    """Who asked for the C-MOVE a store belongs to (PS3.7 9.1.1.1.7 and .8)."""

    ae_title: str
    message_id: int


class SubOperations:
    """The stores of one retrieval on one association.

    Parameters
    ----------
    contexts
        The accepted ones on which we may store.
    """

    def __init__(
        self,
        association: Association,
        outlet: Outlet,
        contexts: Sequence[PresentationContext],
        storage: Storage,
        uncompressing: Uncompressing,
        originator: Originator | None = None,
    ) -> None:
        self._association = association
        self._outlet = outlet
        self._storage = storage
        self._uncompressing = uncompressing
        self._originator = originator
        self._message_ids = count(1)
        self._contexts: dict[tuple[str, str], int] = {
            (str(context.abstract_syntax), str(context.transfer_syntax[0])): context.context_id or 0
            for context in contexts
        }

    def store(self, selected: Selected) -> Outcome:
        """Store an instance at the peer.

        Raises
        ------
        PeerUnreachable
            If the association ended: nothing more can be stored on it.
        """
        if selected.is_removed:
            return Outcome.FAILED
        try:
            return self._store(selected)
        except PeerUnreachable:
            raise
        except NodeError as error:
            _log.warning(
                "sub_operation_failed",
                sop_instance_uid=selected.sop_instance_uid,
                error=str(error),
            )
            return Outcome.FAILED

    def _store(self, selected: Selected) -> Outcome:
        sop_class, syntax = selected.sop_class_uid, selected.transfer_syntax_uid
        context_id = self._contexts.get((sop_class, syntax))
        if context_id is not None:
            with self._storage.open(selected.storage_key) as file:
                return self._send(selected, file, context_id)
        offered = {
            pair[1]: number for pair, number in self._contexts.items() if pair[0] == sop_class
        }
        with self._uncompressing.open_as(self._storage, selected, offered) as (file, accepted):
            return self._send(selected, file, offered[accepted])

    def _send(self, selected: Selected, file: BinaryIO, context_id: int) -> Outcome:
        file.seek(data_set_start(file))
        message_id = next(self._message_ids) % _LARGEST_MESSAGE_ID + 1
        command = self._command(selected, message_id)
        fragment = self._fragment_bytes()
        pieces = store_pieces(command, file, context_id, fragment)
        try:
            self._outlet.send(pieces)
        except (NodeError, ValueError) as error:
            self._association.abort()
            raise PeerUnreachable("A kept object could not be read to its end") from error
        return self._outcome(message_id)

    def _command(self, selected: Selected, message_id: int) -> bytes:
        request = C_STORE()
        request.MessageID = message_id
        request.Priority = 0
        request.AffectedSOPClassUID = selected.sop_class_uid
        request.AffectedSOPInstanceUID = selected.sop_instance_uid
        if self._originator is not None:
            request.MoveOriginatorApplicationEntityTitle = self._originator.ae_title
            request.MoveOriginatorMessageID = self._originator.message_id
        message = C_STORE_RQ()
        message.primitive_to_message(request)
        # A data set follows (PS3.7 E.1): the message knows of none, it goes out beside it.
        message.command_set.CommandDataSetType = 0x0001
        return encode(message.command_set, True, True) or b""

    def _fragment_bytes(self) -> int:
        largest = self._association.dimse.maximum_pdu_size or _LARGEST_FRAGMENT_BYTES
        return max(1, min(largest, _LARGEST_FRAGMENT_BYTES) - FRAGMENT_HEADER_BYTES)

    def _outcome(self, message_id: int) -> Outcome:
        _, response = self._association.dimse.get_msg(block=True)
        self._outlet.keep_alive()
        if not isinstance(response, C_STORE) or response.MessageIDBeingRespondedTo != message_id:
            self._association.abort()
            raise PeerUnreachable("The peer ended the association without an answer")
        status = response.Status
        if status == Status.SUCCESS:
            return Outcome.COMPLETED
        return Outcome.WARNING if status in _WARNINGS else Outcome.FAILED


def store_pieces(
    command: bytes, file: BinaryIO, context_id: int, fragment_bytes: int
) -> Iterator[bytes]:
    """Yield the PDUs of a C-STORE-RQ, several at a time; the data set is the rest of a file.

    Raises
    ------
    ObjectUnreadable
        If the file cannot be read, or holds no data set.
    """
    yield b"".join(
        _pdu(context_id, part, is_last * _LAST | 0x01)
        for part, is_last in _cut(command, fragment_bytes)
    )
    each = max(1, _PIECE_BYTES // fragment_bytes) * fragment_bytes
    piece = _read(file, each)
    if not piece:
        raise ObjectUnreadable("A kept object holds no data set")
    while piece:
        following = _read(file, each)
        yield b"".join(
            _pdu(context_id, part, _LAST if is_last and not following else 0)
            for part, is_last in _cut(piece, fragment_bytes)
        )
        piece = following


def _cut(content: bytes, fragment_bytes: int) -> Iterator[tuple[bytes, bool]]:
    for start in range(0, len(content), fragment_bytes):
        end = start + fragment_bytes
        yield content[start:end], end >= len(content)


def _pdu(context_id: int, part: bytes, control: int) -> bytes:
    length = len(part) + 2
    return struct.pack(">BBIIBB", P_DATA_TF, 0, length + 4, length, context_id, control) + part


def _read(file: BinaryIO, length: int) -> bytes:
    try:
        return file.read(length)
    except OSError as error:
        raise ObjectUnreadable from error
