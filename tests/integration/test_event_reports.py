"""Event reports on an association of ours, while its own thread is paused for a request."""

from collections.abc import Iterator
from io import BytesIO
from threading import Thread

import pytest
from pynetdicom import build_role, evt
from pynetdicom.dimse_primitives import N_EVENT_REPORT
from pynetdicom.events import Event
from pynetdicom.sop_class import StorageCommitmentPushModel  # type: ignore[attr-defined]

from arcuate.waiting import wait_until
from core.database import Database
from core.settings import Settings
from dicom_node.event_report import WELL_KNOWN_INSTANCE_UID, commitment_contexts
from dicom_node.scu.association import associate
from tests.fixtures.dicom_server import DEVICE, Node, running_node

PATIENCE_SECONDS = 60.0


@pytest.fixture
def node(settings: Settings, database: Database) -> Iterator[Node]:
    with running_node(settings, database) as running:
        yield running


def event_report() -> N_EVENT_REPORT:
    message = N_EVENT_REPORT()
    message.MessageID = 7
    message.AffectedSOPClassUID = StorageCommitmentPushModel
    message.AffectedSOPInstanceUID = WELL_KNOWN_INSTANCE_UID
    message.EventTypeID = 1
    message.EventInformation = BytesIO()
    return message


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_report_that_ends_during_a_pause_leaves_it(node: Node) -> None:
    heard: list[int] = []

    def hear(event: Event) -> tuple[int, None]:
        heard.append(event.event_type)
        return 0x0000, None

    roles = [build_role(StorageCommitmentPushModel, scu_role=True)]
    handlers = [(evt.EVT_N_EVENT_REPORT, hear)]
    with associate(
        node.address, DEVICE, commitment_contexts(), roles, handlers=handlers
    ) as association:
        [context] = association.accepted_contexts
        association._reactor_checkpoint.clear()
        assert wait_until(lambda: association._is_paused, PATIENCE_SECONDS)

        # As pynetdicom does for a report that comes now.
        serving = Thread(
            target=association._serve_request, args=(event_report(), context.context_id)
        )
        serving.start()
        serving.join(PATIENCE_SECONDS)
        is_paused_still = association._is_paused
        association._reactor_checkpoint.set()

    assert heard == [1]
    assert is_paused_still
