import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlmodel import SQLModel, select

from core import ledger
from core.clock import utc_now
from core.database import Database
from core.process_pool import ProcessPool, WorkerDied
from core.recall import interrupt
from core.rescorings import (
    RESCORE_PRIORITY,
    RescoringCounts,
    RescoringModel,
    count_rescoring,
)
from core.settings import Settings
from core.tables.instances import InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.predictions import PredictionRow
from core.tables.shadow_predictions import ShadowPredictionRow
from core.values.prediction import PredictionStatus
from core.worker import Worker
from core.yielding_worker import YieldingWorker
from dicom_node.storage.archive import Archive
from dicom_node.storage.rescoring import ArchivePart, rescore
from inference.analysis import AnalyseStep
from inference.model_card import ModelKind
from inference.predictor import Predictor
from inference.rescoring import Prepare, RescoreStep
from inference.rescoring_models import RescoringModels
from inference.scorer import Scorer
from inference.scorers import FixedScorers, Scorers
from inference.stored_preparation import prepare_from
from tests.builders.opt import build_circle_opt, build_line_opt
from tests.builders.photograph import build_photograph
from tests.builders.received import receive

EARLIER = utc_now() - timedelta(minutes=5)
OLDER_DIGEST = "sha256:older"


@pytest.fixture(scope="module")
def models() -> RescoringModels:
    return RescoringModels(Settings(device="cpu"))


@pytest.fixture
def model(shipped_predictor: Predictor) -> RescoringModel:
    return RescoringModel(shipped_predictor.identity, ModelKind.PROFILE)


@pytest.fixture
def scored(archive: Archive, database: Database, shipped_predictor: Predictor) -> list[int]:
    """Return three scans that an older model scored; of one it had nothing to say."""
    keys = [
        receive(archive, build_circle_opt(key="a"), at=EARLIER),
        receive(archive, build_circle_opt(key="b"), at=EARLIER),
        receive(archive, build_line_opt(key="c"), at=EARLIER),
        receive(archive, build_photograph(), at=EARLIER),
    ][:3]
    scorers = Scorers({ModelKind.PROFILE: Scorer(shipped_predictor)})
    step = AnalyseStep(database, archive.storage, FixedScorers(scorers))
    with database.transaction() as session:
        claims = ledger.claim(session, JobKind.ANALYSE, "first", 16, 60)
    step.run(claims)
    with database.transaction() as session:
        for row in session.exec(select(PredictionRow)).all():
            row.model_digest, row.model_version = OLDER_DIGEST, "0.9.0"
    return keys


@pytest.fixture
def in_process(database: Database, archive: Archive) -> Prepare:
    return partial(ProcessPool(0).results, partial(prepare_from, database, archive.storage))


def worker(
    kind: type[Worker],
    database: Database,
    settings: Settings,
    models: RescoringModels,
    prepare: Prepare,
) -> Worker:
    step = RescoreStep(database, settings, models, prepare)
    return kind(database, settings, step, threading.Event())


def order(database: Database, model: RescoringModel, part: ArchivePart | None = None) -> int:
    with database.transaction() as session:
        return rescore(session, model, part or ArchivePart()).jobs


def counts(database: Database, model: RescoringModel) -> RescoringCounts:
    with database.reading() as session:
        return count_rescoring(session, model)


def rows(database: Database, table: type[SQLModel]) -> Sequence[Any]:
    with database.reading() as session:
        return session.exec(select(table)).all()


def test_archive_is_scored_again_once_beside_what_stands(
    scored: list[int],
    database: Database,
    settings: Settings,
    models: RescoringModels,
    model: RescoringModel,
    in_process: Prepare,
) -> None:
    added = (order(database, model), order(database, model))
    worked = worker(Worker, database, settings, models, in_process).run_once()

    assert (added, worked) == ((3, 0), 3)
    assert counts(database, model) == RescoringCounts(done=3)
    assert order(database, model) == 0
    new = [r for r in rows(database, PredictionRow) if r.model_digest == model.identity.digest]
    assert sorted((row.instance_key, row.status) for row in new) == [
        (scored[0], PredictionStatus.FINAL),
        (scored[1], PredictionStatus.FINAL),
        (scored[2], PredictionStatus.NOT_ASSESSABLE),
    ]
    older = [r for r in rows(database, PredictionRow) if r.model_digest == OLDER_DIGEST]
    assert {row.status for row in older} == {
        PredictionStatus.FINAL,
        PredictionStatus.NOT_ASSESSABLE,
    }
    by_key = {row.instance_key: row for row in older}
    for row in new:
        assert row.sensitivities_db == by_key[row.instance_key].sensitivities_db
        assert row.preview_key == by_key[row.instance_key].preview_key
    reports = {job.subject: job.priority for job in rows(database, JobRow) if job.kind == "report"}
    assert {reports[row.id] for row in new} == {RESCORE_PRIORITY}


def test_scan_whose_bytes_are_lost_fails_and_one_that_was_removed_does_not(
    scored: list[int],
    archive: Archive,
    database: Database,
    settings: Settings,
    models: RescoringModels,
    model: RescoringModel,
    in_process: Prepare,
) -> None:
    order(database, model)
    lost, removed, _ = scored
    with database.transaction() as session:
        session.get_one(InstanceRow, removed).bytes_removed_at = utc_now()
        for key in (lost, removed):
            archive.storage.delete(session.get_one(InstanceRow, key).storage_key)

    once = settings.model_copy(update={"maximum_attempts": 1})
    worker(Worker, database, once, models, in_process).run_once()

    jobs = {job.subject: job for job in rows(database, JobRow) if job.kind == JobKind.RESCORE}
    assert [jobs[str(key)].status for key in scored] == ["failed", "done", "done"]
    assert "No bytes are kept" in (jobs[str(lost)].error or "")


def test_shadow_is_kept_beside_the_results_and_reported_by_nobody(
    scored: list[int],
    database: Database,
    settings: Settings,
    models: RescoringModels,
    model: RescoringModel,
    in_process: Prepare,
) -> None:
    before = len(rows(database, JobRow))
    shadow = replace(model, is_shadow=True)

    assert order(database, shadow) == 3
    worker(Worker, database, settings, models, in_process).run_once()

    assert {row.model_digest for row in rows(database, PredictionRow)} == {OLDER_DIGEST}
    compared = rows(database, ShadowPredictionRow)
    assert {row.model_digest for row in compared} == {model.identity.digest}
    assert sorted(row.prediction_id for row in compared) == sorted(
        row.id for row in rows(database, PredictionRow)
    )
    assert len(rows(database, JobRow)) == before + 3
    assert order(database, shadow) == 0


def test_what_comes_in_is_scored_before(
    scored: list[int],
    archive: Archive,
    database: Database,
    settings: Settings,
    models: RescoringModels,
    model: RescoringModel,
    in_process: Prepare,
) -> None:
    order(database, model)
    receive(archive, build_circle_opt(key="new"))
    yielding = worker(YieldingWorker, database, settings, models, in_process)

    assert yielding.run_once() == 0
    with database.transaction() as session:
        (live,) = ledger.claim(session, JobKind.ANALYSE, "live", 16, 60)
    assert yielding.run_once() == 3
    assert live.kind is JobKind.ANALYSE


def test_other_content_that_comes_meanwhile_is_what_is_scored(
    scored: list[int],
    database: Database,
    settings: Settings,
    models: RescoringModels,
    model: RescoringModel,
    in_process: Prepare,
) -> None:
    """The result of the former content must not be recorded under the new one."""
    order(database, model)
    replaced = str(scored[0])

    def replaced_meanwhile(instances: Any) -> Any:
        yield from in_process(instances)
        with database.transaction() as session:
            interrupt(session, JobKind.RESCORE, replaced)

    worker(Worker, database, settings, models, replaced_meanwhile).run_once()

    assert counts(database, model) == RescoringCounts(queued=1, done=2)
    new = [r for r in rows(database, PredictionRow) if r.model_digest == model.identity.digest]
    assert sorted(row.instance_key for row in new) == scored[1:]


def test_scan_that_kills_its_process_takes_none_with_it(
    scored: list[int],
    database: Database,
    settings: Settings,
    models: RescoringModels,
    model: RescoringModel,
    in_process: Prepare,
) -> None:
    order(database, model)
    once = settings.model_copy(update={"maximum_attempts": 1})

    def deadly(instances: Any) -> Any:
        for instance, found in in_process(instances):
            yield instance, WorkerDied() if instance.key == scored[0] else found

    worker(Worker, database, once, models, deadly).run_once()

    assert counts(database, model) == RescoringCounts(done=2, failed=1)
    (failed,) = [job for job in rows(database, JobRow) if job.status == JobStatus.FAILED]
    assert (failed.subject, failed.error) == (str(scored[0]), str(WorkerDied()))
    # Asked again, it is tried again.
    assert order(database, model) == 1


def test_photograph_is_left_to_models_that_read_photographs(
    scored: list[int], database: Database, model: RescoringModel
) -> None:
    of_photographs = replace(model, kind=ModelKind.FUNDUS)

    assert order(database, of_photographs, ArchivePart(since=EARLIER)) == 1
    assert order(database, of_photographs, ArchivePart(since=utc_now())) == 0
