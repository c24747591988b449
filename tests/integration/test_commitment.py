"""Storage commitment asked for and heard by a device that is not ours, on real associations."""

import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE
from sqlmodel import select

from arcuate.roles import Role
from arcuate.waiting import wait_until
from core.database import Database
from core.settings import Settings
from core.tables.commitments import CommitmentRow
from core.tables.instances import InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.worker import Worker
from dicom_node.delivery.commitment import CommitmentStep
from dicom_node.peers import PeerAddress, add_peer
from dicom_node.statuses import FailureReason, Status
from dicom_node.storage.accept_list import OPHTHALMIC_TOMOGRAPHY
from dicom_node.storage.ingest import ingest
from tests.builders.encoded_instance import build_instance, encode_instance
from tests.fixtures.commitment_device import Device, ask, build_request
from tests.fixtures.dicom_server import DEVICE, Node, running_node
from tests.fixtures.node import running_node as running_whole_node

TRANSACTION = "1.2.3.99.1"
ATTEMPTS = 3


@pytest.fixture
def node(settings: Settings, database: Database) -> Iterator[Node]:
    with running_node(settings, database) as running:
        yield running


def keep(node: Node, *numbers: int) -> list[tuple[str, str]]:
    """Take instances in; return them as a request names them."""
    encoded = [encode_instance(SOPInstanceUID=f"1.2.3.1.1.{number}") for number in numbers]
    for instance in encoded:
        ingest(node.archive, instance)
    return [(instance.sop_class_uid, instance.sop_instance_uid) for instance in encoded]


def listen_at(node: Node, port: int | None) -> None:
    with node.database.transaction() as session:
        add_peer(session, DEVICE, "127.0.0.1", port)


def worker_of(node: Node, settings: Settings) -> Worker:
    step = CommitmentStep(node.database, node.archive.storage, settings.ae_title, 60.0)
    patient = settings.model_copy(update={"maximum_attempts": ATTEMPTS})
    return Worker(node.database, patient, step, threading.Event())


def work(node: Node, settings: Settings) -> JobRow:
    """Do the newest commit job once, whatever it waits for; return it."""
    with node.database.transaction() as session:
        for row in session.exec(select(JobRow)).all():
            row.available_at = 0.0
    worker_of(node, settings).run_once()
    return job_of(node)


def job_of(node: Node) -> JobRow:
    with node.database.reading() as session:
        statement = select(JobRow).where(JobRow.kind == JobKind.COMMIT)
        return session.exec(statement.order_by(JobRow.id.desc())).all()[0]  # type: ignore[union-attr]


def commitment_of(node: Node) -> CommitmentRow:
    with node.database.reading() as session:
        return session.exec(select(CommitmentRow)).one()


def path_of(node: Node, sop_instance_uid: str) -> Path:
    with node.database.reading() as session:
        row = session.exec(
            select(InstanceRow).where(InstanceRow.sop_instance_uid == sop_instance_uid)
        ).one()
    return node.archive.storage.root / row.storage_key


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_what_is_kept_is_committed_on_a_new_association(node: Node, settings: Settings) -> None:
    instances, device = keep(node, 1, 2), Device()

    with device.listening() as port:
        listen_at(node, port)
        status = device.ask(node.address, build_request(TRANSACTION, instances))
        job = work(node, settings)

    assert (status, job.status) == (Status.SUCCESS, JobStatus.DONE)
    heard = device.next_report()
    assert (heard.event_type, heard.information.TransactionUID) == (1, TRANSACTION)
    assert heard.committed == instances
    assert "FailedSOPSequence" not in heard.information
    assert commitment_of(node).failed_count == 0
    assert device.reports.empty()


def test_what_is_not_kept_fails_each_for_its_own_reason(node: Node, settings: Settings) -> None:
    kept, other_class, deleted, damaged, cut = keep(node, 1, 2, 3, 4, 5)
    missing = (kept[0], "1.2.3.1.1.404")
    foreign = ("1.2.840.10008.5.1.4.1.1.2", "1.2.3.1.1.405")
    mistaken = ("1.2.840.10008.5.1.4.1.1.7", other_class[1])
    path_of(node, deleted[1]).unlink()
    flip_last_byte(path_of(node, damaged[1]))
    whole = path_of(node, cut[1]).read_bytes()
    path_of(node, cut[1]).write_bytes(whole[:-1])
    device = Device()

    with device.listening() as port:
        listen_at(node, port)
        asked = [kept, missing, foreign, mistaken, deleted, damaged, cut]
        device.ask(node.address, build_request(TRANSACTION, asked))
        work(node, settings)

    heard = device.next_report()
    assert (heard.event_type, heard.committed) == (2, [kept])
    assert heard.failed == {
        missing[1]: FailureReason.NO_SUCH_OBJECT_INSTANCE,
        foreign[1]: FailureReason.REFERENCED_SOP_CLASS_NOT_SUPPORTED,
        mistaken[1]: FailureReason.CLASS_INSTANCE_CONFLICT,
        deleted[1]: FailureReason.PROCESSING_FAILURE,
        damaged[1]: FailureReason.PROCESSING_FAILURE,
        cut[1]: FailureReason.PROCESSING_FAILURE,
    }
    assert commitment_of(node).failed_count == 6


def flip_last_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def test_a_peer_without_a_port_hears_on_the_association_it_asked_on(
    node: Node, settings: Settings
) -> None:
    instances, device = keep(node, 1), Device()
    missing = (instances[0][0], "1.2.3.404")

    with device.association(node.address) as association:
        status = ask(association, build_request(TRANSACTION, [*instances, missing]))
        heard = device.next_report()
        assert wait_until(lambda: commitment_of(node).reported_at is not None, 30)

    assert (status, heard.event_type, heard.committed) == (Status.SUCCESS, 2, instances)
    assert heard.failed == {missing[1]: FailureReason.NO_SUCH_OBJECT_INSTANCE}
    assert job_of(node).status == JobStatus.QUEUED
    assert work(node, settings).status == JobStatus.DONE
    assert device.reports.empty()


def test_a_report_of_many_pdus_is_heard_whole_on_the_same_association(node: Node) -> None:
    uids = [f"1.2.{10**50 + number}" for number in range(200)]
    missing = [(OPHTHALMIC_TOMOGRAPHY, uid) for uid in uids]
    device = Device()

    with device.association(node.address) as association:
        ask(association, build_request(TRANSACTION, missing))
        heard = device.next_report()

    assert list(heard.failed) == uids


def test_a_report_on_the_same_association_disturbs_no_store(node: Node) -> None:
    """The device goes on without a pause: the next store crosses the report."""
    instances, device = keep(node, 1), Device()

    with device.association(node.address, OPHTHALMIC_TOMOGRAPHY) as association:
        for number in range(10):
            transaction = f"{TRANSACTION}.{number}"
            assert ask(association, build_request(transaction, instances)) == Status.SUCCESS
            uid = f"1.2.3.1.1.{number + 2}"
            stored = association.send_c_store(build_instance_to_send(uid))
            assert stored.Status == Status.SUCCESS
        heard = [device.next_report() for _ in range(10)]

    assert [report.event_type for report in heard] == [1] * 10


def build_instance_to_send(uid: str) -> Dataset:
    dataset = build_instance(SOPInstanceUID=uid)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return dataset


def test_a_peer_without_a_port_that_left_is_a_failed_job_that_says_so(
    node: Node, settings: Settings
) -> None:
    many = [("1.2.840.10008.5.1.4.1.1.7", f"1.2.3.7.{number}") for number in range(300)]
    device = Device()

    assert device.ask(node.address, build_request(TRANSACTION, many)) == Status.SUCCESS
    job = work(node, settings)

    assert (job.status, job.attempts) == (JobStatus.FAILED, 1)
    assert job.error == ("DEVICE1 has no address to call: add it again with one host and a --port")
    assert device.reports.empty()


def test_a_peer_that_is_down_is_told_when_it_is_up_again(node: Node, settings: Settings) -> None:
    instances, device, port = keep(node, 1), Device(), unused_port()
    listen_at(node, port)
    device.ask(node.address, build_request(TRANSACTION, instances))

    waiting = work(node, settings)
    with device.listening(port):
        done = work(node, settings)

    assert (waiting.status, done.status) == (JobStatus.QUEUED, JobStatus.DONE)
    assert waiting.error is not None
    assert "does not answer" in waiting.error
    assert device.next_report().committed == instances


def test_a_peer_that_stays_down_is_a_failed_job_that_can_be_retried(
    node: Node, settings: Settings
) -> None:
    listen_at(node, unused_port())
    Device().ask(node.address, build_request(TRANSACTION, keep(node, 1)))

    states = [work(node, settings).status for _ in range(ATTEMPTS)]

    assert states == [JobStatus.QUEUED] * (ATTEMPTS - 1) + [JobStatus.FAILED]


def test_a_peer_that_answers_with_a_failure_is_told_again(node: Node, settings: Settings) -> None:
    instances, device = keep(node, 1), Device(answer=0x0110)

    with device.listening() as port:
        listen_at(node, port)
        device.ask(node.address, build_request(TRANSACTION, instances))
        waiting = work(node, settings)
        device.answer = 0x0000
        done = work(node, settings)

    assert (waiting.status, done.status) == (JobStatus.QUEUED, JobStatus.DONE)
    assert waiting.error is not None
    assert waiting.error.endswith("answered the storage commitment report with 0x0110")


def test_a_peer_that_accepts_no_reports_is_a_failed_job_that_says_so(
    node: Node, settings: Settings
) -> None:
    entity = AE(DEVICE)
    entity.add_supported_context("1.2.840.10008.1.1")
    server = entity.start_server(("127.0.0.1", 0), block=False)
    assert server is not None
    try:
        listen_at(node, server.socket.getsockname()[1])
        Device().ask(node.address, build_request(TRANSACTION, keep(node, 1)))
        job = work(node, settings)
    finally:
        entity.shutdown()

    assert job.status == JobStatus.FAILED
    assert job.error is not None
    assert job.error.endswith("does not accept Storage Commitment reports")


def test_a_peer_that_rejects_the_association_is_a_failed_job_that_says_so(
    node: Node, settings: Settings
) -> None:
    entity = AE(DEVICE)
    entity.add_supported_context("1.2.840.10008.1.20.1", scu_role=True, scp_role=True)
    entity.require_calling_aet = ["ANOTHER"]
    server = entity.start_server(("127.0.0.1", 0), block=False)
    assert server is not None
    try:
        listen_at(node, server.socket.getsockname()[1])
        Device().ask(node.address, build_request(TRANSACTION, keep(node, 1)))
        job = work(node, settings)
    finally:
        entity.shutdown()

    assert job.status == JobStatus.FAILED
    assert job.error is not None
    assert "Calling AE title not recognised" in job.error


def test_a_peer_that_is_busy_is_told_later(node: Node, settings: Settings) -> None:
    instances, device = keep(node, 1), Device()

    with device.listening(maximum_associations=1) as port:
        listen_at(node, port)
        device.ask(node.address, build_request(TRANSACTION, instances))
        with device.association(PeerAddress(DEVICE, "127.0.0.1", port)):
            waiting = work(node, settings)
        done = work(node, settings)

    assert (waiting.status, done.status) == (JobStatus.QUEUED, JobStatus.DONE)
    assert waiting.error is not None
    assert "Local limit exceeded" in waiting.error


def test_an_unlisted_caller_that_is_let_in_hears_on_its_association(
    settings: Settings, database: Database
) -> None:
    device = Device("STRANGER")
    with running_node(settings.model_copy(update={"allow_unknown_peers": True}), database) as node:
        instances = keep(node, 1)
        with device.association(node.address) as association:
            ask(association, build_request(TRANSACTION, instances))
            heard = device.next_report()

    assert (heard.event_type, heard.committed) == (1, instances)


def test_a_peer_known_by_its_network_is_called_where_it_asked_from(
    node: Node, settings: Settings
) -> None:
    instances, device = keep(node, 1), Device()

    with device.listening() as port:
        with node.database.transaction() as session:
            add_peer(session, DEVICE, "127.0.0.0/8", port)
        device.ask(node.address, build_request(TRANSACTION, instances))
        job = work(node, settings)

    assert job.status == JobStatus.DONE
    assert device.next_report().committed == instances


def test_the_same_request_twice_is_one_transaction(node: Node, settings: Settings) -> None:
    request, device = build_request(TRANSACTION, keep(node, 1)), Device()

    with device.listening() as port:
        listen_at(node, port)
        statuses = [device.ask(node.address, request) for _ in range(2)]
        work(node, settings)
        first = device.next_report()
        nothing_left = worker_of(node, settings).run_once()
        again = device.ask(node.address, request)
        work(node, settings)
        second = device.next_report()

    assert [*statuses, again] == [Status.SUCCESS] * 3
    assert nothing_left == 0
    assert (first.event_type, second.event_type) == (1, 1)


def test_another_list_under_a_used_transaction_uid_is_a_duplicate(
    node: Node, settings: Settings
) -> None:
    first, second = keep(node, 1, 2)
    device = Device()

    with device.listening() as port:
        listen_at(node, port)
        for instance in (first, second):
            status = device.ask(node.address, build_request(TRANSACTION, [instance]))
            assert status == Status.SUCCESS
            work(node, settings)

    assert device.next_report().committed == [first]
    duplicate = device.next_report()
    assert (duplicate.event_type, duplicate.committed) == (2, [])
    assert duplicate.failed == {second[1]: FailureReason.DUPLICATE_TRANSACTION_UID}


def test_an_unknown_caller_may_not_ask(node: Node) -> None:
    with Device("STRANGER").association(node.address) as association:
        assert association.is_rejected

    with node.database.reading() as session:
        assert session.exec(select(CommitmentRow)).all() == []


def test_a_request_is_refused_while_the_database_is_away(node: Node) -> None:
    request = build_request(TRANSACTION, keep(node, 1))
    device = Device()
    with device.association(node.address) as association:
        with node.database.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE commitments RENAME TO gone")
        refused = ask(association, request)
        with node.database.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE gone RENAME TO commitments")
        accepted = ask(association, request)

    assert refused in {Status.RESOURCE_LIMITATION, Status.PROCESSING_FAILURE}
    assert accepted == Status.SUCCESS


@pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True
)
def test_a_request_outlives_the_node_that_took_it(settings: Settings, database: Database) -> None:
    """Asked of a receiver that is killed at once; answered by processes started afterwards."""
    device = Device("SCREENING1")
    with running_whole_node(settings, (Role.RECEIVE, Role.SERVE)) as node:
        with device.association(node.peer) as stranger:
            assert stranger.is_rejected
        with device.listening() as port:
            know(node.database, device.ae_title, port)
            with device.association(node.peer) as association:
                request = build_request(TRANSACTION, [(OPHTHALMIC_TOMOGRAPHY, "1.2.3.404")])
                status = ask(association, request)
                os.kill(node.supervisor.process_id(Role.RECEIVE), signal.SIGKILL)

    assert (status, device.reports.empty()) == (Status.SUCCESS, True)
    roles = (Role.RECEIVE, Role.DELIVER, Role.SERVE)
    with device.listening(port), running_whole_node(settings, roles):
        heard = device.next_report()

    assert heard.information.TransactionUID == TRANSACTION
    assert heard.failed == {"1.2.3.404": FailureReason.NO_SUCH_OBJECT_INSTANCE}


def know(database: Database, ae_title: str, port: int) -> None:
    with database.transaction() as session:
        add_peer(session, ae_title, "127.0.0.1", port)
