import pytest
from sqlmodel import select

from core import ledger
from core.database import Database
from core.errors import RecordNotFound
from core.ledger import Claim
from core.tables.instances import InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from dicom_node.storage.archive import Archive
from inference.recording import RECORDED_TOGETHER, Conclusion, record
from inference.subject import load_subject
from tests.builders.opt import build_circle_opt
from tests.builders.received import receive


def conclusions(archive: Archive, database: Database, count: int) -> list[Conclusion]:
    """Receive and claim scans, and conclude that no model is for them."""
    for number in range(count):
        receive(archive, build_circle_opt(key=f"{number}"))
    with database.transaction() as session:
        claims: list[Claim] = ledger.claim(session, JobKind.ANALYSE, "worker", count, 60)
        return [Conclusion(c, load_subject(session, int(c.subject)), None) for c in claims]


def statuses(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.exec(select(JobRow.status).order_by(JobRow.id)).all())


def test_more_than_fit_in_one_transaction_are_all_recorded(
    archive: Archive, database: Database
) -> None:
    ends = conclusions(archive, database, RECORDED_TOGETHER + 1)

    recorded = record(database, ends)

    assert recorded == {end.claimed.job_id: None for end in ends}
    assert set(statuses(database)) == {JobStatus.DONE}


def test_instance_that_is_gone_takes_no_earlier_one_with_it(
    archive: Archive, database: Database
) -> None:
    ends = conclusions(archive, database, 2)
    with database.transaction() as session:
        session.delete(session.get_one(InstanceRow, ends[1].subject.instance_key))

    with pytest.raises(RecordNotFound):
        record(database, ends)

    assert statuses(database) == [JobStatus.DONE, JobStatus.RUNNING]
