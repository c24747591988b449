"""Our application entity: the DICOM services we provide, on one port."""

import threading
from typing import Final

from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from core.database import Database
from core.errors import NodeError
from core.logs import get_logger
from core.settings import Settings
from dicom_node.admission import Admission, handle_connection_closed, handle_requested
from dicom_node.implementation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from dicom_node.pynetdicom_settings import configure_pynetdicom
from dicom_node.receive.listener import Listener
from dicom_node.receive.seam import handle_connection_opened
from dicom_node.scp.commitment import add_commitment, commitment_handlers
from dicom_node.scp.echo import handle_echo
from dicom_node.scp.size_limit import handle_pdu
from dicom_node.storage.accept_list import ACCEPTED_SOP_CLASSES
from dicom_node.storage.archive import Archive, open_archive
from dicom_node.storage.bytes import Storage

#: Largest PDU we offer to receive: DCMTK, and what is built on it, never sends more.
MAXIMUM_PDU_BYTES: Final = 131_072
#: From the connection to the A-ASSOCIATE-RQ, and from a rejection to the peer's closing.
ACSE_TIMEOUT_SECONDS: Final = 30.0
DIMSE_TIMEOUT_SECONDS: Final = 60.0
#: Silence on an association after which it is aborted.
NETWORK_TIMEOUT_SECONDS: Final = 60.0

_log = get_logger(__name__)


class PortUnavailable(NodeError):
    """The DICOM port cannot be opened; another process may hold it."""


class DicomServer:
    """Listens for associations and serves them, each in its own thread.

    Parameters
    ----------
    storage
        Where instances go.
    """

    def __init__(self, settings: Settings, database: Database, storage: Storage) -> None:
        configure_pynetdicom()
        self.archive: Archive = open_archive(settings, database, storage)
        self._address = (settings.dicom_host, settings.dicom_port)
        self._admission = Admission(database, settings.ae_title, settings.allow_unknown_peers)
        self._application_entity = build_application_entity(settings)
        self._server: Listener | None = None

    def start(self) -> int:
        """Listen; return the port, on which connections are taken from now on.

        Raises
        ------
        PortUnavailable
            If the port cannot be opened.
        StorageFull, StorageAway
            If the storage is not there.
        """
        self.archive.prepare()
        try:
            server: Listener = self._application_entity.make_server(  # type: ignore[assignment]
                self._address,
                evt_handlers=[
                    (evt.EVT_REQUESTED, handle_requested, [self._admission]),
                    (evt.EVT_CONN_OPEN, handle_connection_opened, [self.archive]),
                    (evt.EVT_CONN_CLOSE, handle_connection_closed),
                    (evt.EVT_PDU_RECV, handle_pdu, [self.archive]),
                    (evt.EVT_C_ECHO, handle_echo),
                    *commitment_handlers(self.archive),
                ],
                server_class=Listener,
                patience_seconds=ACSE_TIMEOUT_SECONDS,
            )
        except OSError as error:
            host, port = self._address
            raise PortUnavailable(f"{host}:{port} cannot be opened: {error.strerror}") from error
        # As its own start_server does, which takes no class: shutdown() looks in this list.
        self._application_entity._servers.append(server)  # noqa: SLF001
        threading.Thread(target=server.serve_forever, name="listener", daemon=True).start()
        self._server = server
        port = int(server.server_address[1])
        _log.info("dicom_listening", host=self._address[0], port=port)
        return port

    def stop(self) -> None:
        """Abort every association and close the port; an instance being kept is kept or not."""
        if self._server is not None:
            self._application_entity.shutdown()
            self._server = None


def build_application_entity(settings: Settings) -> AE:
    """Return the application entity with everything it accepts."""
    entity = AE(settings.ae_title)
    entity.implementation_class_uid = IMPLEMENTATION_CLASS_UID
    entity.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    entity.maximum_pdu_size = MAXIMUM_PDU_BYTES
    entity.maximum_associations = settings.maximum_associations
    entity.acse_timeout = ACSE_TIMEOUT_SECONDS
    entity.dimse_timeout = DIMSE_TIMEOUT_SECONDS
    entity.network_timeout = NETWORK_TIMEOUT_SECONDS
    entity.add_supported_context(Verification)
    add_commitment(entity)
    for sop_class_uid in ACCEPTED_SOP_CLASSES:
        entity.add_supported_context(sop_class_uid, ALL_TRANSFER_SYNTAXES)
    return entity
