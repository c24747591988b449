"""Our application entity: the DICOM services we provide, on a plain port, a TLS port, or both."""

import ssl
import threading
from dataclasses import dataclass
from typing import Final

from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from core.database import Database
from core.errors import NodeError
from core.logs import get_logger
from core.settings import Settings
from core.tls import server_context
from dicom_node.admission import Admission, handle_connection_closed, handle_requested
from dicom_node.association_log import AssociationLog
from dicom_node.implementation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from dicom_node.pynetdicom_settings import configure_pynetdicom
from dicom_node.receive.listener import Listener
from dicom_node.receive.seam import handle_connection_opened
from dicom_node.scp.commitment import add_commitment, commitment_handlers
from dicom_node.scp.commitment_report import report_handlers
from dicom_node.scp.echo import handle_echo
from dicom_node.scp.find import add_find, query_services
from dicom_node.scp.instance_availability import add_instance_availability
from dicom_node.scp.notices import notice_handlers
from dicom_node.scp.procedure_step import add_procedure_step
from dicom_node.scp.retrieve_handlers import retrieve_handlers
from dicom_node.scp.retrieve_service import add_retrieve
from dicom_node.scp.size_limit import handle_pdu
from dicom_node.seats import Seats
from dicom_node.storage.accept_list import ACCEPTED_SOP_CLASSES
from dicom_node.storage.archive import Archive, open_archive
from dicom_node.storage.bytes import Storage

#: Largest PDU we offer to receive: DCMTK, and what is built on it, never sends more.
MAXIMUM_PDU_BYTES: Final = 131_072
#: pynetdicom's own limit counts threads that are ending, too, and tells nobody: `Seats` decides.
_NO_LIMIT: Final = 1 << 30
#: Of several in one context the first is taken: what devices write, so that it goes out as it came.
_STORAGE_SYNTAXES: Final = sorted(
    ALL_TRANSFER_SYNTAXES, key=lambda uid: uid != ExplicitVRLittleEndian
)

_log = get_logger(__name__)


class PortUnavailable(NodeError):
    """The DICOM port cannot be opened; another process may hold it."""


@dataclass(frozen=True)
class DicomPorts:
    """The ports we listen on; 0 for one that is not open."""

    plain: int = 0
    tls: int = 0


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
        self._settings = settings
        seats = Seats(settings.maximum_associations, settings.maximum_associations_per_peer)
        self._admission = Admission(
            database, settings.ae_title, settings.allow_unknown_peers, seats
        )
        self._application_entity = build_application_entity(settings)
        self._association_log = AssociationLog(database)
        self._query_services = query_services(settings, database)
        self._retrieve_handlers = retrieve_handlers(settings, self.archive)

    def start(self) -> DicomPorts:
        """Listen; return the ports, on which connections are taken from now on.

        Raises
        ------
        PortUnavailable
            If a port cannot be opened.
        CertificateUnusable
            If the settings name a certificate that cannot be used.
        StorageFull, StorageAway
            If the storage is not there.
        """
        settings = self._settings
        tls = server_context(settings, asks_for_certificate=True) if settings.tls_cert else None
        self.archive.prepare()
        self._association_log.start()
        try:
            return DicomPorts(
                plain=self._listen(settings.dicom_port) if settings.dicom_plain else 0,
                tls=self._listen(settings.dicom_tls_port, tls) if tls is not None else 0,
            )
        except PortUnavailable:
            self.stop()
            raise

    def stop(self) -> None:
        """Abort every association and close the ports; an instance being kept is kept or not."""
        self._application_entity.shutdown()
        self._association_log.stop()

    def _listen(self, port: int, tls: ssl.SSLContext | None = None) -> int:
        host = self._settings.dicom_host
        try:
            server: Listener = self._application_entity.make_server(  # type: ignore[assignment]
                (host, port),
                evt_handlers=self._handlers(),
                server_class=Listener,
                admit=self._admission.admit,
                patience_seconds=self._settings.acse_timeout_seconds,
                node_folder=self._settings.home,
                tls=tls,
            )
        except OSError as error:
            raise PortUnavailable(f"{host}:{port} cannot be opened: {error.strerror}") from error
        # As its own start_server does, which takes no class: shutdown() looks in this list.
        self._application_entity._servers.append(server)  # noqa: SLF001
        threading.Thread(target=server.serve_forever, name="listener", daemon=True).start()
        opened = int(server.server_address[1])
        _log.info("dicom_listening", host=host, port=opened, tls=tls is not None)
        return opened

    def _handlers(self) -> list[evt.EventHandlerType]:
        log = self._association_log
        return [
            (evt.EVT_REQUESTED, handle_requested, [self._admission]),
            (
                evt.EVT_CONN_OPEN,
                handle_connection_opened,
                [self.archive, self._query_services, log.tally_of],
            ),
            (evt.EVT_CONN_CLOSE, handle_connection_closed),
            (evt.EVT_PDU_RECV, handle_pdu),
            (evt.EVT_C_ECHO, handle_echo),
            *commitment_handlers(self.archive),
            *report_handlers(self.archive.database),
            *notice_handlers(self.archive.database),
            *self._retrieve_handlers,
            *log.handlers(),
        ]


def build_application_entity(settings: Settings) -> AE:
    """Return the application entity with everything it accepts."""
    entity = AE(settings.ae_title)
    entity.implementation_class_uid = IMPLEMENTATION_CLASS_UID
    entity.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    entity.maximum_pdu_size = MAXIMUM_PDU_BYTES
    entity.maximum_associations = _NO_LIMIT
    entity.acse_timeout = settings.acse_timeout_seconds
    entity.dimse_timeout = settings.dimse_timeout_seconds
    entity.network_timeout = settings.network_timeout_seconds
    entity.add_supported_context(Verification)
    add_commitment(entity)
    add_procedure_step(entity)
    add_instance_availability(entity)
    add_find(entity)
    add_retrieve(entity)
    for sop_class_uid in ACCEPTED_SOP_CLASSES:
        # Both roles: on a C-GET it is we who store.
        entity.add_supported_context(sop_class_uid, _STORAGE_SYNTAXES, scu_role=True, scp_role=True)
    return entity
