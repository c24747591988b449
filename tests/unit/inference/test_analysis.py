import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from sqlmodel import SQLModel, select

from arcuate.waiting import wait_until
from core import ledger
from core.changes import append_change
from core.clock import utc_now
from core.database import Database
from core.ledger import Claim
from core.perimetry.nerve_fibres import ENTRY_ANGLES_DEGREE
from core.perimetry.rnfl import normal_profile_um
from core.predictions import load_prediction
from core.recall import begin_anew
from core.settings import Settings
from core.tables.changes import ChangeKind
from core.tables.instances import InstanceOutcome, InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.predictions import PredictionRow
from core.tables.shadow_predictions import ShadowPredictionRow
from core.values.laterality import Laterality
from core.values.prediction import Prediction, PredictionStatus
from core.values.profile import PROFILE_ANGLES_DEGREE
from core.values.reason import ReasonCode
from core.worker import Worker
from dicom_node.storage.archive import Archive
from inference import analysis
from inference.analysis import AnalyseStep
from inference.examination import Examination, examine
from inference.executors.in_process import InProcess
from inference.model_card import ModelKind
from inference.predictor import Predictor
from inference.prepared_scan import PreparedScan, prepare_stored
from inference.scorer import Scorer
from inference.scorers import FixedScorers, Scorers
from inference.shadow_scorer import ShadowScorer
from inference.stored_scan import StoredScan
from tests.builders.moved_study import move_to_patient_born
from tests.builders.opt import build_circle_opt, build_line_opt, build_localizer
from tests.builders.photograph import build_photograph
from tests.builders.received import receive
from tests.fixtures.waiting_transaction import is_anybody_waiting
from tests.unit.inference.cards import make_model

#: Long enough ago that no scan waits for its localizer any more.
EARLIER = utc_now() - timedelta(minutes=5)


@pytest.fixture
def scorers(shipped_predictor: Predictor) -> Scorers:
    return Scorers({ModelKind.PROFILE: Scorer(shipped_predictor)})


@pytest.fixture
def step(archive: Archive, database: Database, scorers: Scorers) -> AnalyseStep:
    return AnalyseStep(database, archive.storage, FixedScorers(scorers))


def examined(scan: Dataset) -> Examination:
    return examine(StoredScan(scan), {ModelKind.PROFILE: (20.0, 92.0)})


def analyse(step: AnalyseStep) -> list[Claim]:
    with step.database.transaction() as session:
        claims = ledger.claim(session, JobKind.ANALYSE, "worker", step.group_size, 60)
    step.run(claims)
    return claims


def rows(database: Database, table: type[SQLModel]) -> Sequence[Any]:
    with database.reading() as session:
        return session.exec(select(table)).all()


def predictions_by_instance(database: Database) -> dict[int, Prediction]:
    with database.reading() as session:
        recorded = session.exec(select(PredictionRow)).all()
        return {row.instance_key: load_prediction(session, row.id) for row in recorded}


def thin_below() -> np.ndarray:
    """A profile that lost most of its inferotemporal bundle: a defect of the upper field."""
    below = np.abs(PROFILE_ANGLES_DEGREE - 285) < 40
    return np.where(below, 45.0, normal_profile_um(60.0))


def test_analysis_that_waits_for_its_row_keeps_nobody_from_the_next_number(
    step: AnalyseStep, archive: Archive, database: Database
) -> None:
    """Else it and a receiver, which was sent the scan once more, waited for each other."""
    if database.is_sqlite:
        pytest.skip("on SQLite whoever writes is alone")
    key = receive(archive, build_circle_opt(key="a"), at=EARLIER)
    worker = threading.Thread(target=analyse, args=(step,))

    with database.transaction() as session:
        session.get_one(InstanceRow, key, with_for_update={"key_share": True})
        worker.start()
        assert wait_until(lambda: is_anybody_waiting(database), 120)
        append_change(session, ChangeKind.INSTANCE_RECEIVED, "1.2.3")
    worker.join()

    assert [row.instance_key for row in rows(database, PredictionRow)] == [key]


def test_group_that_takes_longer_than_its_lease_keeps_every_claim(
    step: AnalyseStep, archive: Archive, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [receive(archive, build_circle_opt(key=name), at=EARLIER) for name in "ab"]
    lease_seconds, taken = 3.0, []

    def prepare_slowly(*given: Any) -> PreparedScan:
        time.sleep(1.5 * lease_seconds)
        with database.transaction() as session:
            taken.extend(ledger.claim(session, JobKind.ANALYSE, "another", 10, 60))
        return prepare_stored(*given)

    monkeypatch.setattr(analysis, "prepare_stored", prepare_slowly)
    with database.transaction() as session:
        claims = ledger.claim(session, JobKind.ANALYSE, "worker", 10, lease_seconds)

    replace(step, lease_seconds=lease_seconds).run(claims)

    assert taken == []
    assert {row.instance_key for row in rows(database, PredictionRow)} == set(keys)


def test_group_of_good_and_bad_scans_gives_each_its_own_outcome(
    step: AnalyseStep, archive: Archive, database: Database
) -> None:
    right = receive(archive, build_circle_opt(key="a"), at=EARLIER)
    line = receive(archive, build_line_opt(key="b"), at=EARLIER)
    left_scan = build_circle_opt(key="c", laterality=Laterality.LEFT, thickness_um=thin_below())
    left = receive(archive, left_scan, at=EARLIER)
    part = receive(archive, build_circle_opt(key="d", InConcatenationTotalNumber=2), at=EARLIER)

    analyse(step)

    found = predictions_by_instance(database)
    assert {key: (p.status, p.laterality) for key, p in found.items()} == {
        right: (PredictionStatus.FINAL, Laterality.RIGHT),
        line: (PredictionStatus.NOT_ASSESSABLE, Laterality.RIGHT),
        left: (PredictionStatus.FINAL, Laterality.LEFT),
    }
    upper_arcuate = np.abs(ENTRY_ANGLES_DEGREE - 285) < 20
    healthy, lost = (found[key].estimate.sensitivities_db for key in (right, left))
    assert (lost - healthy)[upper_arcuate].mean() < -3.0
    assert {row.id: row.outcome for row in rows(database, InstanceRow)} == {
        right: InstanceOutcome.PREDICTED,
        line: InstanceOutcome.PREDICTED,
        left: InstanceOutcome.PREDICTED,
        part: InstanceOutcome.NOT_MODEL_INPUT,
    }
    jobs = rows(database, JobRow)
    assert {j.status for j in jobs if j.kind == JobKind.ANALYSE} == {JobStatus.DONE}
    assert sorted(j.subject for j in jobs if j.kind == JobKind.REPORT) == sorted(
        p.prediction_id for p in found.values()
    )


@pytest.mark.parametrize("laterality", Laterality)
def test_same_scan_gives_the_same_field_alone_and_in_a_group(
    step: AnalyseStep,
    archive: Archive,
    database: Database,
    scorers: Scorers,
    laterality: Laterality,
) -> None:
    scan = build_circle_opt(laterality=laterality)
    (expected,) = scorers.estimate([examined(scan)])
    key = receive(archive, scan, at=EARLIER)
    receive(archive, build_circle_opt(key="other"), at=EARLIER)

    analyse(step)

    estimate = predictions_by_instance(database)[key].estimate
    assert np.allclose(estimate.sensitivities_db, expected.sensitivities_db, atol=1e-3)


def test_fields_come_in_the_order_of_the_examinations(scorers: Scorers) -> None:
    scans = [build_circle_opt(), build_line_opt(), build_circle_opt(age_years=85.0)]

    first, refused, last = scorers.estimate([examined(scan) for scan in scans])

    assert refused is None
    assert first.sensitivities_db.mean() > last.sensitivities_db.mean()


def test_nothing_to_score_asks_no_model(scorers: Scorers) -> None:
    refused = examined(build_line_opt())

    assert scorers.estimate([]) == []
    assert scorers.estimate([refused, refused]) == [None, None]


def test_scan_waits_for_its_localizer_without_losing_an_attempt(
    step: AnalyseStep, archive: Archive, database: Database
) -> None:
    key = receive(archive, build_circle_opt())

    analyse(step)

    (job,) = rows(database, JobRow)
    assert (job.status, job.attempts, job.subject) == (JobStatus.QUEUED, 0, str(key))
    assert rows(database, PredictionRow) == []


def test_localizer_of_the_other_eye_refuses_the_scan_without_an_eye(
    step: AnalyseStep, archive: Archive, database: Database
) -> None:
    key = receive(archive, build_circle_opt(), at=EARLIER)
    receive(archive, build_localizer(ImageLaterality="L"), at=EARLIER)

    analyse(step)

    prediction = predictions_by_instance(database)[key]
    assert prediction.status is PredictionStatus.NOT_ASSESSABLE
    assert (prediction.laterality, prediction.estimate) == (None, None)
    assert [reason.code for reason in prediction.reasons] == [ReasonCode.LATERALITY_CONFLICT]


def test_job_done_twice_has_one_effect(
    step: AnalyseStep, archive: Archive, database: Database
) -> None:
    key = receive(archive, build_circle_opt(), at=EARLIER)
    analyse(step)
    with database.transaction() as session:
        ledger.enqueue(session, JobKind.ANALYSE, str(key))

    analyse(step)

    (recorded,) = rows(database, PredictionRow)
    reports = [job.subject for job in rows(database, JobRow) if job.kind == JobKind.REPORT]
    assert set(reports) == {recorded.id}


def test_lost_lease_records_nothing(
    step: AnalyseStep, archive: Archive, database: Database
) -> None:
    receive(archive, build_circle_opt(), at=EARLIER)
    with database.transaction() as session:
        claims = ledger.claim(session, JobKind.ANALYSE, "slow", 1, -1.0)
    with database.transaction() as session:
        ledger.claim(session, JobKind.ANALYSE, "quick", 1, 60)

    step.run(claims)

    assert rows(database, PredictionRow) == []


def test_a_lost_lease_takes_no_neighbour_with_it(
    step: AnalyseStep, archive: Archive, database: Database
) -> None:
    keys = [receive(archive, build_circle_opt(key=key), at=EARLIER) for key in ("a", "b")]
    with database.transaction() as session:
        claims = ledger.claim(session, JobKind.ANALYSE, "worker", 2, 60)
        begin_anew(session, JobKind.ANALYSE, str(keys[0]))

    step.run(claims)

    assert [row.instance_key for row in rows(database, PredictionRow)] == [keys[1]]
    statuses = [job.status for job in rows(database, JobRow) if job.kind == JobKind.ANALYSE]
    assert statuses == [JobStatus.QUEUED, JobStatus.DONE]


def test_given_up_scan_is_seen_as_failed_and_reported(
    step: AnalyseStep, archive: Archive, database: Database
) -> None:
    key = receive(archive, build_circle_opt(), at=EARLIER)
    with database.transaction() as session:
        (claim,) = ledger.claim(session, JobKind.ANALYSE, "worker", 1, 60)
        step.give_up(session, claim, "The accelerator is on fire")

    prediction = predictions_by_instance(database)[key]
    assert prediction.status is PredictionStatus.FAILED
    assert [(r.code, r.message) for r in prediction.reasons] == [
        (ReasonCode.PROCESSING_FAILED, "The accelerator is on fire")
    ]
    reports = [job.subject for job in rows(database, JobRow) if job.kind == JobKind.REPORT]
    assert reports == [prediction.prediction_id]


def test_retry_after_giving_up_brings_the_field(
    step: AnalyseStep, archive: Archive, database: Database
) -> None:
    key = receive(archive, build_circle_opt(), at=EARLIER)
    with database.transaction() as session:
        (claim,) = ledger.claim(session, JobKind.ANALYSE, "worker", 1, 60)
        ledger.fail(session, claim, "broken", retry=False, maximum_attempts=1)
        step.give_up(session, claim, "broken")
    with database.transaction() as session:
        assert ledger.requeue(session, claim.job_id)

    analyse(step)

    recorded = {row.status: row for row in rows(database, PredictionRow)}
    assert set(recorded) == {PredictionStatus.SUPERSEDED, PredictionStatus.FINAL}
    final = recorded[PredictionStatus.FINAL]
    assert recorded[PredictionStatus.SUPERSEDED].superseded_by == final.id
    assert final.instance_key == key


def test_giving_up_on_an_instance_that_is_gone_settles_the_job(
    step: AnalyseStep, archive: Archive, database: Database
) -> None:
    key = receive(archive, build_circle_opt(), at=EARLIER)
    with database.transaction() as session:
        (claim,) = ledger.claim(session, JobKind.ANALYSE, "worker", 1, 60)
        session.delete(session.get_one(InstanceRow, key))

    with database.transaction() as session:
        ledger.fail(session, claim, "gone", retry=False, maximum_attempts=1)
        step.give_up(session, claim, "gone")

    (job,) = rows(database, JobRow)
    assert job.status == JobStatus.FAILED
    assert rows(database, PredictionRow) == []


def test_scored_scan_has_a_preview_and_an_unread_one_has_none(
    step: AnalyseStep, archive: Archive, database: Database
) -> None:
    scored = receive(archive, build_circle_opt(key="a"), at=EARLIER)
    unread = receive(archive, build_line_opt(key="b"), at=EARLIER)

    analyse(step)

    previews = {row.instance_key: row.preview_key for row in rows(database, PredictionRow)}
    assert previews[unread] is None
    assert archive.storage.exists(previews[scored])


@pytest.mark.parametrize("eye", list(Laterality))
def test_scored_scan_keeps_its_localizer_and_its_course(
    step: AnalyseStep, archive: Archive, database: Database, eye: Laterality
) -> None:
    receive(archive, build_localizer(laterality=eye), at=EARLIER)
    scan = receive(archive, build_circle_opt(laterality=eye), at=EARLIER)

    # The localizer itself waits for more of its study.
    analyse(step)

    (row,) = [row for row in rows(database, PredictionRow) if row.instance_key == scan]
    prediction = predictions_by_instance(database)[scan]
    assert archive.storage.read(row.fundus_key).startswith(b"\xff\xd8")
    assert prediction.fundus is not None
    assert (prediction.fundus.centre_column > 320) is (eye is Laterality.RIGHT)
    assert prediction.course is not None
    assert abs(prediction.course.step_degree) == pytest.approx(360 / 768)


def test_examination_with_reasons_is_never_scored(scorers: Scorers) -> None:
    """Even with a whole profile and an age: one reason is enough."""
    found = examined(build_circle_opt(age_years=12.0))

    assert found.profile is not None
    assert scorers.estimate([found]) == [None]


def test_photograph_is_left_unscored_while_no_model_for_it_is_active(
    step: AnalyseStep, archive: Archive, database: Database
) -> None:
    key = receive(archive, build_photograph(), at=EARLIER)

    analyse(step)

    (row,) = rows(database, InstanceRow)
    assert (row.id, row.outcome) == (key, InstanceOutcome.NOT_MODEL_INPUT)
    assert "arcuate models activate fundus_field" in row.outcome_message
    assert rows(database, PredictionRow) == []
    assert {job.status for job in rows(database, JobRow)} == {JobStatus.DONE}


def test_failure_under_one_model_is_overcome_by_the_next(
    step: AnalyseStep, archive: Archive, database: Database, scorers: Scorers
) -> None:
    receive(archive, build_circle_opt(), at=EARLIER)
    with database.transaction() as session:
        (claim,) = ledger.claim(session, JobKind.ANALYSE, "worker", 1, 60)
        ledger.fail(session, claim, "broken", retry=False, maximum_attempts=1)
        step.give_up(session, claim, "broken")
    with database.transaction() as session:
        earlier = session.exec(select(PredictionRow)).one()
        earlier.model_digest, earlier.model_version = "sha256:ab", "0.9.0"
        assert ledger.requeue(session, claim.job_id)

    analyse(step)

    found = {row.status: row.model_version for row in rows(database, PredictionRow)}
    version = scorers.active[ModelKind.PROFILE].identity.version
    assert found == {PredictionStatus.SUPERSEDED: "0.9.0", PredictionStatus.FINAL: version}


def test_scan_that_came_after_its_study_was_moved_is_noted_to_tell_another_age(
    step: AnalyseStep, archive: Archive, database: Database
) -> None:
    first, late = build_circle_opt(key="a"), build_circle_opt(key="b")
    first.StudyInstanceUID = late.StudyInstanceUID = "1.2.3"
    receive(archive, first, at=EARLIER)
    analyse(step)
    move_to_patient_born(database, date(1930, 1, 1))

    receive(archive, late, at=EARLIER)
    analyse(step)

    notes = [row.notes for row in rows(database, PredictionRow)]
    assert notes[0] == notes[1]
    assert "instead of" in notes[0][-1]


def test_shadow_comes_after_the_result_and_changes_nothing_of_it(
    archive: Archive, database: Database, scorers: Scorers, tmp_path: Path
) -> None:
    damaged = make_model(tmp_path, "damaged")
    twin = replace(scorers.active[ModelKind.PROFILE].card, name="twin")
    shadows = (
        ShadowScorer(damaged, InProcess(Settings(device="cpu"))),
        ShadowScorer(twin, InProcess(Settings(device="cpu"))),
    )
    step = AnalyseStep(database, archive.storage, FixedScorers(replace(scorers, shadows=shadows)))
    receive(archive, build_circle_opt(key="a"), at=EARLIER)
    receive(archive, build_line_opt(key="b"), at=EARLIER)

    analyse(step)

    recorded = rows(database, PredictionRow)
    assert {row.model_name for row in recorded} == {scorers.active[ModelKind.PROFILE].card.name}
    final = [row for row in recorded if row.status == PredictionStatus.FINAL]
    (shadow,) = rows(database, ShadowPredictionRow)
    assert (shadow.prediction_id, shadow.model_name) == (final[0].id, "twin")
    assert shadow.sensitivities_db == pytest.approx(final[0].sensitivities_db, abs=1e-3)
    reports = [job for job in rows(database, JobRow) if job.kind == JobKind.REPORT]
    assert sorted(job.subject for job in reports) == sorted(row.id for row in recorded)


def test_scan_whose_bytes_were_removed_keeps_its_answer_and_its_retry_says_why(
    step: AnalyseStep, archive: Archive, database: Database, settings: Settings
) -> None:
    key = receive(archive, build_circle_opt(), at=EARLIER)
    (claimed,) = analyse(step)
    before = predictions_by_instance(database)
    with database.transaction() as session:
        row = session.get_one(InstanceRow, key)
        row.bytes_removed_at = utc_now()
        archive.storage.delete(row.storage_key)
        session.get_one(JobRow, claimed.job_id).status = JobStatus.FAILED
        assert ledger.requeue(session, claimed.job_id)

    Worker(database, settings, step, threading.Event()).run_once()

    jobs = sorted(rows(database, JobRow), key=lambda job: job.id)
    assert [(job.kind, job.status) for job in jobs] == [
        (JobKind.ANALYSE, JobStatus.FAILED),
        (JobKind.REPORT, JobStatus.QUEUED),
    ]
    assert jobs[0].error.startswith("Retention removed the files of this instance on ")
    assert {p.prediction_id for p in predictions_by_instance(database).values()} == {
        before[key].prediction_id
    }
    assert before[key].status is PredictionStatus.FINAL
