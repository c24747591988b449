"""Instances that come on an association of ours (C-GET), each into the archive as it comes.

pynetdicom gathers a data set in memory before it tells of it. The gathering object of a store is
therefore replaced by one that hands every fragment on.
"""

from io import BytesIO
from typing import TYPE_CHECKING, Any

from pydicom import Dataset
from pynetdicom import evt
from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.events import Event, EventHandlerType

from core.errors import NodeError
from core.logs import get_logger
from dicom_node.statuses import Status, answer, comment_of, status_of
from dicom_node.storage.archive import Archive
from dicom_node.storage.incoming import Incoming
from dicom_node.storage.part10 import Announced
from dicom_node.store_entries import StoreEntries

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_log = get_logger(__name__)


class Stream(BytesIO):
    """Stands for the data set of a message while it arrives."""

    def __init__(self, incoming: Incoming) -> None:
        super().__init__()
        self.incoming = incoming

    def write(self, fragment: "ReadableBuffer", /) -> int:
        """Hand a fragment on."""
        self.incoming.write(fragment)
        return memoryview(fragment).nbytes


class Arriving:
    """Keeps what an archive stores on our association.

    Attributes
    ----------
    problems
        Why an instance was refused, by SOP Instance UID.
    """

    def __init__(self, archive: Archive, ae_title: str, entries: StoreEntries) -> None:
        self.problems: dict[str, str] = {}
        self._archive = archive
        self._ae_title = ae_title
        self._entries = entries
        self._incoming: Incoming | None = None

    @property
    def handlers(self) -> list[EventHandlerType]:
        """What to bind to the association."""
        return [(evt.EVT_PDU_RECV, self._handle_pdu), (evt.EVT_C_STORE, self.handle_store)]

    def abandon(self) -> None:
        """Forget what was arriving when the association ended."""
        if self._incoming is not None:
            self._incoming.discard()

    def _handle_pdu(self, event: Event) -> None:
        message = event.assoc.dimse.message
        if not isinstance(message, C_STORE_RQ) or message.data_set is None:
            return
        if isinstance(message.data_set, Stream) or not message.data_set.tell():
            return
        gathered, context = message.data_set.getvalue(), message.context_id
        command = message.command_set
        uids = (command.AffectedSOPClassUID, command.AffectedSOPInstanceUID)
        stream = Stream(self._begin(event, context or 0, *map(str, uids)))
        stream.write(gathered)
        message.data_set = stream

    def _begin(self, event: Event, context_id: int, class_uid: str, instance_uid: str) -> Incoming:
        self.abandon()
        syntaxes = {
            context.context_id: str(context.transfer_syntax[0])
            for context in event.assoc.accepted_contexts
        }
        self._incoming = Incoming(
            self._archive,
            Announced(
                transfer_syntax_uid=syntaxes.get(context_id, ""),
                sop_class_uid=class_uid,
                sop_instance_uid=instance_uid,
                calling_ae_title=self._ae_title,
            ),
        )
        return self._incoming

    def handle_store(self, event: Event) -> Dataset:
        """Keep an instance that has come whole; return the status it is answered with."""
        request: Any = event.request
        uid = str(request.AffectedSOPInstanceUID)
        data_set = request.DataSet
        if isinstance(data_set, Stream):
            incoming = data_set.incoming
        else:
            # So small that it came in one PDU.
            class_uid = str(request.AffectedSOPClassUID)
            incoming = self._begin(event, event.context.context_id or 0, class_uid, uid)
            incoming.write(data_set.getvalue() if data_set is not None else b"")
        try:
            with incoming:
                incoming.keep()
        except NodeError as error:
            self._entries.count(incoming.study_found, is_kept=False)
            self.problems[uid] = str(error)
            _log.warning("retrieved_refused", peer=self._ae_title, error=str(error))
            return answer(status_of(error), comment_of(error))
        self._entries.count(incoming.study_found, is_kept=True)
        return answer(Status.SUCCESS)
