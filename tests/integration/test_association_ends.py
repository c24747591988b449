"""What ends with an association: its study is settled soon, whoever hung up and how."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]
from sqlalchemy import text
from sqlmodel import select

from arcuate.waiting import wait_until
from core.clock import utc_now
from core.database import Database
from core.settings import Settings
from core.tables.associations import EndedAssociationRow
from core.tables.study_notices import NoticeKind, NoticeState, StudyNoticeRow
from core.tables.study_summaries import SettleCause, SummaryState
from dicom_node.calling_errors import AssociationRejected
from dicom_node.rollup.ends import GRACE
from dicom_node.scu.echo import echo
from dicom_node.scu.store import send
from dicom_node.storage.accept_list import RAW_DATA
from tests.builders.encoded_instance import as_file, encode_instance
from tests.fixtures.clockwork import QUIET, Clockwork
from tests.fixtures.dicom_server import DEVICE, Node, running_node

_STUDY = "1.2.3.1"
#: Has the database refuse ends by an error that does not say it is away; by whether it is SQLite.
_REFUSE = {
    True: "CREATE TRIGGER refused BEFORE INSERT ON ended_associations "
    "BEGIN SELECT RAISE(ABORT, 'refused'); END",
    False: "ALTER TABLE ended_associations ADD CONSTRAINT refused CHECK (false) NOT VALID",
}
_TAKE = {
    True: "DROP TRIGGER refused",
    False: "ALTER TABLE ended_associations DROP CONSTRAINT refused",
}


@pytest.fixture
def node(settings: Settings, database: Database) -> Iterator[Node]:
    with running_node(settings, database) as running:
        yield running


def _file(folder: Path, number: int) -> Path:
    """Write an object that is kept and not scored, so that nothing is waited for."""
    path = folder / f"{number}.dcm"
    uid = f"{_STUDY}.1.{number}"
    path.write_bytes(as_file(encode_instance(SOPClassUID=RAW_DATA, SOPInstanceUID=uid)))
    return path


def _ends(database: Database) -> list[EndedAssociationRow]:
    with database.reading() as session:
        return list(session.exec(select(EndedAssociationRow)).all())


def _wait_for_ends(node: Node, count: int) -> list[EndedAssociationRow]:
    assert wait_until(lambda: len(_ends(node.database)) == count, 30), _ends(node.database)
    return _ends(node.database)


def test_end_of_its_association_settles_a_study_before_the_quiet_time(
    node: Node, clockwork: Clockwork, tmp_path: Path
) -> None:
    assert all(r.is_kept for r in send([_file(tmp_path, 1)], node.address, DEVICE))
    [end] = _wait_for_ends(node, 1)
    clockwork.now = end.ended_at

    clockwork.work()
    [waiting] = clockwork.summaries()
    clockwork.work(GRACE)

    [settled] = clockwork.summaries()
    assert waiting.state == SummaryState.OPEN
    assert (settled.state, settled.cause) == (SummaryState.SETTLED, SettleCause.ASSOCIATION_END)
    assert settled.received == 1
    assert _ends(node.database) == []


def test_device_with_an_association_for_each_object_gets_one_summary(
    node: Node, clockwork: Clockwork, tmp_path: Path
) -> None:
    for number in range(3):
        assert all(r.is_kept for r in send([_file(tmp_path, number)], node.address, DEVICE))
    clockwork.now = _wait_for_ends(node, 3)[-1].ended_at

    clockwork.work()
    clockwork.work(GRACE)

    [settled] = clockwork.summaries()
    assert (settled.state, settled.received) == (SummaryState.SETTLED, 3)


def test_study_of_a_step_in_progress_waits_for_more(
    node: Node, clockwork: Clockwork, tmp_path: Path
) -> None:
    with node.database.transaction() as session:
        session.add(
            StudyNoticeRow(
                sop_instance_uid="1.9",
                study_instance_uid=_STUDY,
                kind=NoticeKind.PROCEDURE_STEP,
                state=NoticeState.IN_PROGRESS,
                received_at=utc_now(),
            )
        )
    assert all(r.is_kept for r in send([_file(tmp_path, 1)], node.address, DEVICE))
    clockwork.now = _wait_for_ends(node, 1)[0].ended_at

    clockwork.work()
    clockwork.work(GRACE)
    [waiting] = clockwork.summaries()
    clockwork.work(QUIET)

    [settled] = clockwork.summaries()
    assert waiting.state == SummaryState.OPEN
    assert (settled.state, settled.cause) == (SummaryState.SETTLED, SettleCause.QUIET_TIME)


def test_object_that_came_after_the_end_is_waited_for(
    node: Node, clockwork: Clockwork, tmp_path: Path
) -> None:
    assert all(r.is_kept for r in send([_file(tmp_path, 1)], node.address, DEVICE))
    [end] = _wait_for_ends(node, 1)
    _keep_open(node, [_file(tmp_path, 2)], clockwork, end)

    [waiting] = clockwork.summaries()
    assert (waiting.state, waiting.cause) == (SummaryState.OPEN, SettleCause.QUIET_TIME)


def _keep_open(
    node: Node, paths: list[Path], clockwork: Clockwork, end: EndedAssociationRow
) -> None:
    """Store on an association that stays open, and let the roll-up look meanwhile."""
    entity = AE(DEVICE)
    entity.add_requested_context(RAW_DATA, ExplicitVRLittleEndian)
    association = entity.associate("127.0.0.1", node.port, ae_title="ARCUATE")
    assert association.is_established
    for path in paths:
        assert association.send_c_store(path).Status == 0
    clockwork.now = end.ended_at
    clockwork.work()
    clockwork.work(GRACE)
    association.release()


def test_echo_is_written_down(node: Node) -> None:
    echo(node.address, DEVICE)

    [end] = _wait_for_ends(node, 1)
    assert (end.calling_ae_title, end.address, end.echoed) == (DEVICE, "127.0.0.1", True)
    assert end.began_at <= end.ended_at


def test_ends_that_the_database_refuses_are_written_down_later(
    node: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    with node.database.transaction() as session:
        session.execute(text(_REFUSE[node.database.is_sqlite]))
    echo(node.address, DEVICE)
    printed: list[str] = []

    def is_told() -> bool:
        printed.append(capsys.readouterr().out)
        return "associations_not_logged" in "".join(printed)

    assert wait_until(is_told, 30)
    with node.database.transaction() as session:
        session.execute(text(_TAKE[node.database.is_sqlite]))

    echo(node.address, DEVICE)
    _wait_for_ends(node, 2)


@pytest.mark.parametrize("how", ["abort", "hang up"])
def test_peer_that_leaves_without_release_is_written_down(node: Node, how: str) -> None:
    entity = AE(DEVICE)
    entity.add_requested_context(Verification)
    association = entity.associate("127.0.0.1", node.port, ae_title="ARCUATE")
    assert association.is_established
    if how == "abort":
        association.abort()
    else:
        transport = association.dul.socket
        assert transport is not None
        transport.close()

    [end] = _wait_for_ends(node, 1)
    assert (end.calling_ae_title, end.echoed) == (DEVICE, False)


def test_refused_caller_is_no_association(node: Node) -> None:
    with pytest.raises(AssociationRejected):
        echo(node.address, "STRANGER")
    echo(node.address, DEVICE)

    [end] = _wait_for_ends(node, 1)
    assert end.calling_ae_title == DEVICE


def test_many_ends_are_all_written_before_the_server_stops(
    settings: Settings, database: Database
) -> None:
    with running_node(settings, database) as node:
        threads = [threading.Thread(target=_echoes(node, 5)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(_ends(database)) == 20


def _echoes(node: Node, count: int) -> Callable[[], None]:
    def run() -> None:
        for _ in range(count):
            echo(node.address, DEVICE)

    return run
