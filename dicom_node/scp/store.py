"""Storage SCP (PS3.4 annex B): the DIMSE door into `storage.ingest`.

It holds what a faster receiver would replace: everything behind `ingest` stays as it is.
"""

import traceback

from pydicom import Dataset
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.events import Event

from core.errors import NodeError
from core.logs import get_logger
from dicom_node.errors import InstanceRefused, ObjectTooLarge
from dicom_node.scp.size_limit import DroppedDataSet
from dicom_node.statuses import Status, answer, answer_error, status_of
from dicom_node.storage.archive import Archive
from dicom_node.storage.ingest import ingest
from dicom_node.storage.part10 import EncodedInstance

_log = get_logger(__name__)


def handle_store(event: Event, archive: Archive) -> Dataset:
    """Answer a C-STORE-RQ; Success only when the instance survives a power cut."""
    peer = event.assoc.requestor.ae_title
    try:
        ingest(archive, _read_request(event))
    except InstanceRefused as error:
        return answer_error(error)
    except NodeError as error:
        _log.warning("store_refused", peer=peer, error=str(error), status=hex(status_of(error)))
        return answer_error(error)
    # The last frame of ours on this thread: what passes it, pynetdicom would answer with C211 and
    # log with its message, which may hold a patient's name. So: the place is logged, not the text.
    except Exception as error:  # noqa: BLE001
        _log.error("store_failed", peer=peer, error=type(error).__name__, place=_place(error))
        return answer(Status.PROCESSING_FAILURE, "Internal error; see the receiver's log")
    return answer(Status.SUCCESS)


def _read_request(event: Event) -> EncodedInstance:
    request = event.request
    if not isinstance(request, C_STORE) or request.DataSet is None:
        data_set = b""
    elif isinstance(request.DataSet, DroppedDataSet):
        raise ObjectTooLarge
    else:
        data_set = request.DataSet.getvalue()
    return EncodedInstance(
        data_set=data_set,
        transfer_syntax_uid=str(event.context.transfer_syntax),
        sop_class_uid=_plain(getattr(request, "AffectedSOPClassUID", None)),
        sop_instance_uid=_plain(getattr(request, "AffectedSOPInstanceUID", None)),
        calling_ae_title=event.assoc.requestor.ae_title.strip(),
    )


def _plain(uid: str | None) -> str:
    return str(uid or "").rstrip("\0 ")


def _place(error: Exception) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-5:]]
