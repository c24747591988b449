"""C-GET SCP (PS3.4 C.4.3): the instances go out on the association they are asked on."""

from pynetdicom.events import Event

from core.errors import NodeError
from dicom_node.audited import record_retrieval
from dicom_node.calling_errors import PeerUnreachable
from dicom_node.outlet import Outlet
from dicom_node.scp.retrieval import Retrieval
from dicom_node.scp.retrieve_identifier import read_selection
from dicom_node.storage.archive import Archive
from dicom_node.storage.selection import Selection, check_patient
from dicom_node.storage.uncompressed import Uncompressing
from dicom_node.sub_operation import SubOperations


def handle_get(event: Event, archive: Archive, uncompressing: Uncompressing) -> None:
    """Serve a C-GET-RQ, to its final response."""
    retrieval = Retrieval(event)
    try:
        selection = read_selection(event)
        check_patient(selection, archive.database)
        retrieval.begin(sum(selection.encodings(archive.database).values()))
        record_retrieval(archive.database, event.assoc, "C-GET", selection, retrieval.remaining)
        _store_all(retrieval, selection, archive, uncompressing)
    except PeerUnreachable:
        # Nobody is left who could be answered.
        return
    except NodeError as error:
        retrieval.refuse(error)
        return
    retrieval.end()


def _store_all(
    retrieval: Retrieval, selection: Selection, archive: Archive, uncompressing: Uncompressing
) -> None:
    association = retrieval.event.assoc
    # Those on which the peer takes the role of the SCP: role selection (PS3.7 D.3.3.4).
    contexts = [context for context in association.accepted_contexts if context.as_scu]
    with Outlet(association) as outlet:
        stores = SubOperations(association, outlet, contexts, archive.storage, uncompressing)
        for selected in selection.instances(archive.database):
            if retrieval.must_stop:
                break
            retrieval.count(selected, stores.store(selected))
        outlet.keep_alive()
