"""What a server binds to serve retrievals."""

from pynetdicom import evt
from pynetdicom.events import EventHandlerType

from core.calling_tls import CallingTLS
from core.settings import Settings
from dicom_node.scp.get import handle_get
from dicom_node.scp.move import Mover, handle_move
from dicom_node.scp.retrieve_service import WholeService
from dicom_node.storage.archive import Archive
from dicom_node.storage.uncompressed import Uncompressing


def retrieve_handlers(settings: Settings, archive: Archive) -> list[EventHandlerType]:
    """Return the handlers of C-GET and C-MOVE, which share their decoders."""
    uncompressing = Uncompressing(archive.maximum_object_bytes)
    mover = Mover(archive, uncompressing, settings.ae_title, CallingTLS(settings))
    return [
        (evt.EVT_C_GET, WholeService(handle_get), [archive, uncompressing]),
        (evt.EVT_C_MOVE, WholeService(handle_move), [mover]),
    ]
