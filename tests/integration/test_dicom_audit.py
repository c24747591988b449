"""What peers ask, fetch and bring is in the audit trail, and nothing goes out without an entry."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from arcuate.waiting import wait_until
from core.audit.chain import has_waiting
from core.database import Database
from core.settings import Settings
from core.tables.audit_entries import AuditEntryRow
from dicom_node.peers import add_peer
from dicom_node.scu.store import send
from dicom_node.storage.accept_list import RAW_DATA
from dicom_node.storage.ingest import ingest
from tests.builders.encoded_instance import as_file, encode_instance
from tests.fixtures.audit_trail import audited
from tests.fixtures.dicom_server import DEVICE, Node, running_node
from tests.fixtures.query_scu import ask, asking, identifier
from tests.fixtures.retrieving_device import RetrievingDevice, counts, listening

STUDY = {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": "1.2.3.1"}


@pytest.fixture
def node(settings: Settings, database: Database) -> Iterator[Node]:
    with running_node(settings, database) as running:
        yield running


def keep(node: Node, study: str, number: int, patient: str) -> None:
    uid = f"{study}.1.{number}"
    encoded = encode_instance(
        StudyInstanceUID=study,
        SeriesInstanceUID=f"{study}.1",
        SOPInstanceUID=uid,
        PatientID=patient,
    )
    ingest(node.archive, encoded)


@pytest.fixture
def kept(node: Node) -> Node:
    """Two studies of two patients, three instances."""
    keep(node, "1.2.3.1", 1, "P1")
    keep(node, "1.2.3.1", 2, "P1")
    keep(node, "1.2.3.2", 1, "P2")
    return node


def the_entry(database: Database) -> AuditEntryRow:
    # The end of an association is written down by a thread of its own.
    assert wait_until(lambda: has_waiting(database), 30)
    [row] = audited(database)
    assert (row.actor, row.actor_role, row.address) == (DEVICE, "peer", "127.0.0.1")
    return row


def test_query_is_recorded_by_the_names_of_its_keys(kept: Node, database: Database) -> None:
    with asking(kept.port) as association:
        found = ask(association, identifier("STUDY", PatientID="P?", StudyInstanceUID=""))

    assert len(found.matches) == 2
    row = the_entry(database)
    assert (row.action, row.patients) == ("search", [1, 2])
    assert row.detail == {
        "service": "C-FIND",
        "sop_class": "1.2.840.10008.5.1.4.1.2.2.1",
        "level": "STUDY",
        "filters": ["PatientID"],
        "count": 2,
    }


def test_get_is_recorded(kept: Node, database: Database) -> None:
    answers = RetrievingDevice().get(kept.address, **STUDY)

    assert counts(answers[-1]) == (2, 0, 0)
    row = the_entry(database)
    assert (row.action, row.object_kind, row.object_id) == ("retrieve", "study", "1.2.3.1")
    assert row.patients == [1]
    assert row.detail == {"service": "C-GET", "studies": ["1.2.3.1"], "count": 2}


def test_move_is_recorded_with_its_destination(kept: Node, database: Database) -> None:
    device = RetrievingDevice()
    with listening(device) as port:
        with database.transaction() as session:
            add_peer(session, "VIEWER", "127.0.0.1", port=port)
        device.move(kept.address, "VIEWER", **STUDY)

    assert len(device.digests) == 2
    row = the_entry(database)
    assert (row.action, row.patients) == ("retrieve", [1])
    assert (row.detail["service"], row.detail["destination"]) == ("C-MOVE", "VIEWER")


def test_association_that_brings_instances_is_one_entry(
    node: Node, database: Database, tmp_path: Path
) -> None:
    paths = []
    for number in (1, 2, 3):
        uid = f"1.2.3.1.1.{number}"
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(as_file(encode_instance(SOPClassUID=RAW_DATA, SOPInstanceUID=uid)))
        paths.append(path)

    assert all(result.is_kept for result in send(paths, node.address, DEVICE))

    row = the_entry(database)
    assert (row.action, row.object_kind, row.outcome) == ("store", "study", "success")
    assert (row.detail["count"], row.detail["refused"], row.patients) == (3, 0, [1])


def test_nothing_goes_out_where_the_entry_cannot_be_written(kept: Node, database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("ALTER TABLE audit_waiting RENAME TO elsewhere"))
    device = RetrievingDevice()

    answers = device.get(kept.address, **STUDY)

    assert answers[-1].Status >= 0xA000
    assert device.digests == {}
    with asking(kept.port) as association:
        found = ask(association, identifier("STUDY", PatientID=""))
    assert (found.matches, found.status >= 0xA000) == ([], True)
