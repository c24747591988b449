"""From arrivals to settled summaries, on the real record with a clock of our own."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import col, delete, select
from structlog.testing import capture_logs

from arcuate.waiting import wait_until
from core.database import Database
from core.reviews import record_review
from core.settings import Settings
from core.tables.feed_positions import FeedPositionRow
from core.tables.instances import InstanceOrigin
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.study_summaries import SettleCause, SummaryState
from core.values.laterality import Laterality
from core.values.prediction import PredictionStatus
from core.values.review import ReviewDecision, ReviewDraft
from dicom_node.rollup import watch
from dicom_node.rollup.news import BATCH_SIZE, READER
from dicom_node.rollup.watch import RollUp
from dicom_node.storage.accept_list import RAW_DATA
from dicom_node.storage.archive import open_archive
from dicom_node.storage.duplicate_policy import DuplicatePolicy
from dicom_node.storage.ingest import ingest
from tests.builders.archive import keep_instance
from tests.builders.encoded_instance import encode_instance
from tests.builders.feed import arrive, end_job, finish_scan, source_of
from tests.builders.prediction import Loss
from tests.fixtures.clockwork import QUIET, STUDY, Clockwork, predict, send_and_score


@pytest.fixture
def clockwork(database: Database, settings: Settings) -> Clockwork:
    return Clockwork(database, settings)


def test_study_is_settled_when_nothing_came_for_the_quiet_time(clockwork: Clockwork) -> None:
    send_and_score(clockwork, predict(1), predict(2, Laterality.LEFT))

    clockwork.work()
    clockwork.work(QUIET - timedelta(seconds=1))
    [waiting] = clockwork.summaries()
    clockwork.work(timedelta(seconds=1))

    [settled] = clockwork.summaries()
    assert waiting.state == SummaryState.OPEN
    assert (settled.version, settled.state, settled.cause) == (
        1,
        SummaryState.SETTLED,
        SettleCause.QUIET_TIME,
    )
    assert settled.settled_at == clockwork.now
    assert (settled.received, settled.scored) == (2, 2)
    assert [eye["current"] for eye in settled.eyes] == ["p1", "p2"]
    assert clockwork.changes() == [("study_settled", STUDY)]


def test_each_arrival_puts_the_settling_off(clockwork: Clockwork) -> None:
    send_and_score(clockwork, predict(1))
    clockwork.work()
    clockwork.work(timedelta(seconds=50))
    send_and_score(clockwork, predict(2, Laterality.LEFT))

    clockwork.work()
    clockwork.work(timedelta(seconds=50))
    [waiting] = clockwork.summaries()
    clockwork.work(timedelta(seconds=10))

    [settled] = clockwork.summaries()
    assert (waiting.state, settled.state, settled.scored) == ("open", "settled", 2)


def test_work_in_progress_is_waited_for(clockwork: Clockwork) -> None:
    with clockwork.database.transaction() as session:
        arrive(session, source_of(1))
    clockwork.work()
    clockwork.work(10 * QUIET)
    [waiting] = clockwork.summaries()
    with clockwork.database.transaction() as session:
        finish_scan(session, predict(1))

    clockwork.work(timedelta(seconds=2))

    [settled] = clockwork.summaries()
    assert (waiting.state, settled.state) == (SummaryState.OPEN, SummaryState.SETTLED)


def test_failed_job_does_not_block_and_is_told(clockwork: Clockwork) -> None:
    with clockwork.database.transaction() as session:
        # Its job stopped and no prediction tells of it: the worst case.
        end_job(session, arrive(session, source_of(1)), JobStatus.FAILED)
        arrive(session, source_of(2))
        finish_scan(session, predict(2, None, status=PredictionStatus.FAILED))
        arrive(session, source_of(3), is_model_input=False)

    clockwork.work()
    clockwork.work(QUIET)

    [settled] = clockwork.summaries()
    assert settled.state == SummaryState.SETTLED
    assert (settled.received, settled.failed, settled.not_model_input) == (3, 2, 1)
    assert [(eye["laterality"], eye["status"]) for eye in settled.eyes] == [
        ("R", None),
        ("L", None),
        (None, "failed"),
    ]


def review(clockwork: Clockwork, prediction_id: str, decision: ReviewDecision) -> None:
    draft = ReviewDraft(decision, "dr-ito", "Drusen.")
    with clockwork.database.transaction() as session:
        record_review(session, prediction_id, draft, clockwork.now)


def test_review_that_withholds_a_result_reopens_and_one_that_gives_it_back_too(
    clockwork: Clockwork,
) -> None:
    send_and_score(clockwork, predict(1), predict(2, Laterality.LEFT))
    clockwork.work()
    clockwork.work(QUIET)
    clockwork.work(timedelta(hours=1))
    for decision in (ReviewDecision.ACCEPT, ReviewDecision.REJECT, ReviewDecision.ACCEPT):
        review(clockwork, "p2", decision)
        clockwork.work()
        clockwork.work(QUIET)

    versions = clockwork.summaries()
    told = [row.eyes[1]["results"][0].get("is_withheld", False) for row in versions]
    assert [(row.version, row.state) for row in versions] == [
        (1, SummaryState.SUPERSEDED),
        (2, SummaryState.SUPERSEDED),
        (3, SummaryState.SETTLED),
    ]
    # The first decision changed nothing of what was told.
    assert told == [False, True, False]
    assert [row.eyes[1]["current"] for row in versions] == ["p2", "p2", "p2"]


def test_other_result_of_an_eye_counts_once_the_better_one_is_rejected(
    clockwork: Clockwork,
) -> None:
    send_and_score(clockwork, predict(1), predict(2, loss=Loss.ARCUATE))
    clockwork.work()
    clockwork.work(QUIET)
    [before] = clockwork.summaries()
    counting = before.eyes[0]["current"]
    review(clockwork, counting, ReviewDecision.REJECT)
    clockwork.work()
    clockwork.work(QUIET)

    after = clockwork.summaries()[-1]
    assert {counting, after.eyes[0]["current"]} == {"p1", "p2"}
    # Nobody takes the other number any more, so it disagrees with nothing.
    assert (before.eyes[0]["disagree"], after.eyes[0]["disagree"]) == (True, False)


def test_late_object_reopens_and_the_next_version_supersedes(clockwork: Clockwork) -> None:
    send_and_score(clockwork, predict(1))
    clockwork.work()
    clockwork.work(QUIET)
    clockwork.work(timedelta(hours=1))
    send_and_score(clockwork, predict(2, Laterality.LEFT))

    clockwork.work()
    first, reopened = clockwork.summaries()
    clockwork.work(QUIET)

    superseded, second = clockwork.summaries()
    assert (first.state, reopened.state, reopened.version) == ("settled", "open", 2)
    assert (superseded.state, second.state) == ("superseded", "settled")
    assert [eye["current"] for eye in superseded.eyes] == ["p1", None]
    assert [eye["current"] for eye in second.eyes] == ["p1", "p2"]
    assert [kind for kind, _ in clockwork.changes()] == [
        "study_settled",
        "study_reopened",
        "study_settled",
    ]


def test_report_that_a_destination_sends_back_opens_nothing(clockwork: Clockwork) -> None:
    """It is another object where the destination took another SOP class of it."""
    send_and_score(clockwork, predict(1))
    clockwork.work()
    clockwork.work(QUIET)
    report = replace(source_of(2), series_instance_uid="2.25.900")
    with clockwork.database.transaction() as session:
        kept = keep_instance(session, predict(1).patient, report)
        kept.origin = InstanceOrigin.PRODUCED
        arrive(session, replace(report, sop_instance_uid="2.25.901"), clockwork.now)

    clockwork.work()
    clockwork.work(QUIET)

    [settled] = clockwork.summaries()
    assert settled.state == SummaryState.SETTLED


def test_result_that_comes_after_settling_reopens(clockwork: Clockwork) -> None:
    send_and_score(clockwork, predict(1, None, status=PredictionStatus.FAILED))
    clockwork.work()
    clockwork.work(QUIET)
    with clockwork.database.transaction() as session:
        finish_scan(session, replace(predict(1), prediction_id="again"))

    clockwork.work()
    clockwork.work(QUIET)

    _, second = clockwork.summaries()
    assert (second.version, second.failed, second.scored) == (2, 0, 1)
    assert second.eyes[0]["current"] == "again"


def test_what_a_settled_summary_tells_already_does_not_reopen_it(clockwork: Clockwork) -> None:
    send_and_score(clockwork, predict(1))
    clockwork.work()
    clockwork.now += QUIET
    # Scored and recorded between the look at what is new and the settling.
    _enqueue_settling(clockwork)
    send_and_score(clockwork, predict(2, Laterality.LEFT))
    clockwork.worker.run_once()

    clockwork.work()

    [settled] = clockwork.summaries()
    assert (settled.state, settled.received) == (SummaryState.SETTLED, 2)


def test_what_comes_while_a_settling_waits_in_the_ledger_puts_it_off(
    clockwork: Clockwork,
) -> None:
    send_and_score(clockwork, predict(1))
    clockwork.work()
    clockwork.now += QUIET
    _enqueue_settling(clockwork)
    send_and_score(clockwork, predict(2, Laterality.LEFT))
    clockwork.roll_up.turn()

    clockwork.worker.run_once()
    [waiting] = clockwork.summaries()
    clockwork.work(QUIET)

    [settled] = clockwork.summaries()
    assert (waiting.state, settled.state, settled.received) == ("open", "settled", 2)


def test_study_is_told_anew_when_content_that_is_not_scored_replaced_a_scan(
    clockwork: Clockwork,
) -> None:
    """No result will come of it that could reopen the study."""
    archive = replace(
        open_archive(clockwork.settings, clockwork.database, clockwork.storage),
        duplicates=DuplicatePolicy.REPLACE,
    )
    volume = {
        "SOPClassUID": RAW_DATA,
        "SOPInstanceUID": source_of(1).sop_instance_uid,
        "Manufacturer": "Carl Zeiss Meditec",
    }
    ingest(archive, encode_instance(**volume), clock=lambda: clockwork.now)
    with clockwork.database.transaction() as session:
        finish_scan(session, predict(1))
    clockwork.work()
    clockwork.work(QUIET)

    ingest(archive, encode_instance(**volume, Modality="OPV"), clock=lambda: clockwork.now)
    clockwork.work()
    clockwork.work(QUIET)

    former, later = clockwork.summaries()
    assert (former.state, former.scored) == (SummaryState.SUPERSEDED, 1)
    assert (later.state, later.scored, later.not_model_input) == (SummaryState.SETTLED, 0, 1)
    assert [eye["results"] for eye in later.eyes] == [[], []]


def test_two_studies_of_one_batch_are_settled_each_for_itself(clockwork: Clockwork) -> None:
    other = source_of(1, study="2.25.202")
    send_and_score(clockwork, predict(1), predict(2, prediction_id="other", source=other))

    clockwork.work()
    clockwork.work(QUIET)

    settled = clockwork.summaries()
    assert [row.eyes[0]["current"] for row in settled] == ["p1", "other"]
    assert [row.received for row in settled] == [1, 1]


def test_more_than_a_batch_is_taken_in_one_turn(clockwork: Clockwork) -> None:
    with clockwork.database.transaction() as session:
        for number in range(BATCH_SIZE + 1):
            arrive(session, source_of(number), is_model_input=False)

    clockwork.work()
    clockwork.work(QUIET)

    [settled] = clockwork.summaries()
    assert (settled.state, settled.not_model_input) == (SummaryState.SETTLED, BATCH_SIZE + 1)


def test_two_processes_take_note_of_a_batch_once(clockwork: Clockwork) -> None:
    send_and_score(clockwork, *(predict(number) for number in range(20)))
    others = [
        RollUp(clockwork.database, clockwork.storage, QUIET, clock=lambda: clockwork.now)
        for _ in range(4)
    ]
    threads = [threading.Thread(target=other.turn) for other in others]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    clockwork.work(QUIET)

    [settled] = clockwork.summaries()
    assert (settled.state, settled.received) == (SummaryState.SETTLED, 20)
    assert clockwork.changes() == [("study_settled", STUDY)]


def test_loop_outlives_a_turn_that_fails(
    clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process builds reports, too."""
    monkeypatch.setattr(watch, "TURN_SECONDS", 0.05)
    monkeypatch.setattr(watch, "_PAUSE_SECONDS", 0.05)
    send_and_score(clockwork, predict(1))
    _point_reader(clockwork, None)
    stopping = threading.Event()
    loop = threading.Thread(target=clockwork.roll_up.run, args=(stopping,))
    with capture_logs() as lines:
        loop.start()
        try:
            assert wait_until(lambda: "roll_up_failed" in [line["event"] for line in lines], 60)
            _point_reader(clockwork, 0)
            assert wait_until(lambda: bool(clockwork.summaries()), 60)
        finally:
            stopping.set()
            loop.join()


def _point_reader(clockwork: Clockwork, number: int | None) -> None:
    with clockwork.database.transaction() as session:
        session.execute(delete(FeedPositionRow))
        if number is not None:
            session.add(FeedPositionRow(reader=READER, number=number))


def _enqueue_settling(clockwork: Clockwork) -> None:
    clockwork.roll_up.turn()
    with clockwork.database.reading() as session:
        jobs = session.exec(select(JobRow).where(col(JobRow.kind) == JobKind.SETTLE)).all()
    assert [job.status for job in jobs] == [JobStatus.QUEUED]
