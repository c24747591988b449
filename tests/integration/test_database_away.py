"""The database goes away in the middle of everything, and comes back."""

import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import psycopg
import pytest
from psycopg import sql
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.association import Association
from sqlmodel import Session, func, select

from core import ledger
from core.database import Database, DatabaseAway
from core.ledger import Claim
from core.settings import Settings
from core.tables.instances import InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.worker import Worker
from dicom_node.statuses import Status
from dicom_node.storage.accept_list import OPHTHALMIC_TOMOGRAPHY
from tests.builders.encoded_instance import build_instance
from tests.fixtures.dicom_server import DEVICE, Node, running_node

_DEADLINE_SECONDS = 60.0


@pytest.fixture(params=["postgresql"])
def database_url(request: pytest.FixtureRequest, database_url: str) -> str:
    """Only PostgreSQL can go away: SQLite is a file beside the bytes."""
    return database_url


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        threading.Event().wait(0.02)


@contextmanager
def away(database: Database) -> Generator[None]:
    """End every connection to the database and let none in until the block ends."""
    name = str(database.url.database)
    server = database.url.set(database="postgres", drivername="postgresql")
    with psycopg.connect(server.render_as_string(hide_password=False), autocommit=True) as admin:
        allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        admin.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        try:
            yield
        finally:
            admin.execute(allow.format(sql.Identifier(name), sql.SQL("true")))


@pytest.fixture
def node(settings: Settings, database: Database) -> Iterator[Node]:
    with running_node(settings, database) as running:
        yield running


def associate(node: Node) -> Association:
    entity = AE(DEVICE)
    entity.add_requested_context(OPHTHALMIC_TOMOGRAPHY, ExplicitVRLittleEndian)
    return entity.associate("127.0.0.1", node.port, ae_title="ARCUATE")


def store(association: Association, number: int) -> int:
    instance = build_instance(SOPInstanceUID=f"1.2.3.1.1.{number}")
    instance.file_meta = FileMetaDataset()
    instance.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return int(association.send_c_store(instance).Status)


def test_an_association_outlives_the_database(node: Node) -> None:
    association = associate(node)
    before = store(association, 1)
    with away(node.database):
        during = store(association, 2)
        newcomer = associate(node)
    after = [store(association, 2), store(association, 3)]
    association.release()

    assert (before, during, after) == (Status.SUCCESS, Status.OUT_OF_RESOURCES, [0, 0])
    answer = newcomer.acceptor.primitive
    assert answer is not None
    assert (answer.result, answer.result_source, answer.diagnostic) == (2, 3, 1)
    with node.database.reading() as session:
        kept = [
            session.exec(select(func.count()).select_from(t)).one() for t in (InstanceRow, JobRow)
        ]
    assert kept == [3, 3]


@dataclass
class FinishingStep:
    """Finishes each job; the database goes away in the first one it does."""

    database: Database
    interrupted: threading.Event = field(default_factory=threading.Event)
    kind: JobKind = JobKind.ANALYSE
    group_size: int = 4

    def run(self, claims: Sequence[Claim]) -> None:
        for claimed in claims:
            with self.database.transaction() as session:
                ledger.finish(session, claimed)
                self._interrupt_once(session)

    def _interrupt_once(self, session: Session) -> None:
        if self.interrupted.is_set():
            return
        session.flush()
        self.interrupted.set()
        with away(self.database), pytest.raises(DatabaseAway), self.database.reading() as other:
            other.exec(select(JobRow)).all()

    def give_up(self, session: Session, claim: Claim, error: str) -> None:
        raise AssertionError(f"job {claim.job_id} was given up: {error}")


def test_a_worker_outlives_the_database_and_burns_no_attempt(
    settings: Settings, database: Database
) -> None:
    with database.transaction() as session:
        for subject in ("1", "2", "3"):
            ledger.enqueue(session, JobKind.ANALYSE, subject)
    step, stopping = FinishingStep(database), threading.Event()
    thread = threading.Thread(target=Worker(database, settings, step, stopping).run)
    thread.start()

    def settled() -> list[tuple[str, int]]:
        with database.reading() as session:
            return [(job.status, job.attempts) for job in session.exec(select(JobRow)).all()]

    def all_done() -> bool:
        try:
            return all(status == JobStatus.DONE for status, _ in settled())
        except DatabaseAway:
            # Between two looks at it the database may go away: that is what happens here.
            return False

    assert step.interrupted.wait(_DEADLINE_SECONDS)
    try:
        wait_until(all_done)
    finally:
        stopping.set()
        thread.join(_DEADLINE_SECONDS)
    assert settled() == [(JobStatus.DONE, 1)] * 3


@dataclass
class InterruptedStep(FinishingStep):
    """Meets a database that went away and stays away."""

    outage: ExitStack = field(default_factory=ExitStack)

    def run(self, claims: Sequence[Claim]) -> None:
        if not self.interrupted.is_set():
            self.interrupted.set()
            self.outage.enter_context(away(self.database))
        super().run(claims)


def test_jobs_in_flight_are_taken_up_as_soon_as_the_database_is_back(
    settings: Settings, database: Database
) -> None:
    with database.transaction() as session:
        for subject in ("1", "2", "3"):
            ledger.enqueue(session, JobKind.ANALYSE, subject)
    step = InterruptedStep(database)
    worker = Worker(database, settings, step, threading.Event())

    with step.outage, pytest.raises(DatabaseAway):
        worker.run_once()
    claimed = worker.run_once()

    assert claimed == 3
    with database.reading() as session:
        ended = [(job.status, job.attempts) for job in session.exec(select(JobRow)).all()]
    assert ended == [(JobStatus.DONE, 1)] * 3
