"""One node computes for another: the ledger of the first stays the one truth."""

import threading
from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile

import numpy as np
import pytest
from sqlmodel import select

from core.database import Database
from core.executor_settings import ExecutorSettings
from core.keys import Role, create_key
from core.settings import Settings
from core.tables.jobs import JobRow, JobStatus
from core.tensor_scores import answer_of, ask_scores
from core.worker import Worker
from inference.errors import ExecutorAway
from inference.executors import tensor_client
from inference.executors.register import executor_of
from inference.model_store import ModelStore
from inference.scorer import Scorer
from inference.scorers import RecordedScorers
from inference.tensor_models import TensorModels
from inference.tensor_scoring import TensorScoreStep
from tests.builders.tensors import build_question
from tests.fixtures.scoring_node import scoring_node
from tests.fixtures.tls import Keys


@pytest.fixture(scope="module")
def expected() -> Scorer:
    return Scorer.load(ModelStore().load_card("retinervenet"), "cpu")


@pytest.fixture(scope="module")
def computing(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, keys: Keys, expected: Scorer
) -> Iterator[Settings]:
    """Settings of a node that has another one compute for it, over TLS and with a key."""
    folder = tmp_path_factory.mktemp("computing")
    copyfile(sqlite_template, folder / "arcuate.db")
    settings = Settings(
        home=folder,
        http_port=0,
        device="cpu",
        tls_cert=str(keys.server.path),
        tls_key=str(keys.server.key),
    )
    database = Database(settings.database)
    with database.transaction() as session:
        key = create_key(session, "clinic-pc", Role.RESEARCHER)
    (folder / "key").write_text(key)
    with scoring_node(settings, database, expected) as url:
        yield Settings(
            executor="kserve-v2",
            executor_url=url,
            executor_key_file=str(folder / "key"),
            executor_ca=str(keys.authority.certificate.path),
        )
    database.close()


def test_another_node_gives_the_answers_of_the_model_here(
    computing: Settings, expected: Scorer
) -> None:
    scorer = Scorer.on(executor_of(computing), expected.card)
    asked = build_question(np.linspace(30.0, 85.0, 70).tolist())
    found = scorer.predictor.answer(asked.structure, asked.age_years)
    local = expected.predictor.answer(asked.structure, asked.age_years)

    np.testing.assert_allclose(found.sensitivities_db, local.sensitivities_db, atol=1e-4)
    assert found.spread_db is not None
    assert local.spread_db is not None
    np.testing.assert_allclose(found.spread_db, local.spread_db, atol=1e-4)
    assert str(scorer.predictor.device_used).startswith("remote (arcuate ")


def test_a_node_that_shows_an_unknown_certificate_or_is_shown_no_key_is_not_used(
    computing: Settings, expected: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensor_client, "_PAUSES", ())
    with pytest.raises(ExecutorAway, match="executor_ca"):
        executor_of(computing.model_copy(update={"executor_ca": ""})).network(expected.card)
    with pytest.raises(ExecutorAway, match="401"):
        executor_of(computing.model_copy(update={"executor_key_file": ""})).network(expected.card)


def _only_job(database: Database) -> JobRow:
    with database.reading() as session:
        return session.exec(select(JobRow)).one()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_jobs_wait_untried_until_a_server_is_there(
    settings: Settings,
    database: Database,
    computing: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tensor_client, "_PAUSES", ())
    with database.transaction() as session:
        key = ask_scores(session, build_question())
    away = {"executor": "kserve-v2", "executor_url": "http://127.0.0.1:9"}

    with pytest.raises(ExecutorAway):
        _worker(settings.model_copy(update=away), database).run_once()
    assert (_only_job(database).status, _only_job(database).attempts) == (JobStatus.QUEUED, 0)

    there = {name: getattr(computing, name) for name in ExecutorSettings.model_fields}
    assert _worker(settings.model_copy(update=there), database).run_once() == 1
    with database.reading() as session:
        answer = answer_of(session, key)
    assert answer is not None
    assert answer.sensitivities_db.shape == (1, 52)
    assert _only_job(database).status == JobStatus.DONE


def _worker(settings: Settings, database: Database) -> Worker:
    scorers = RecordedScorers(settings, database)
    step = TensorScoreStep(database, TensorModels(settings, database, scorers))
    return Worker(database, settings, step, threading.Event())
