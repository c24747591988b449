from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlmodel import select

from core.clock import utc_now
from core.database import Database
from core.errors import InfrastructureError
from core.models import activate_model, list_models, register_models, shadow_model
from core.perimetry.rnfl import normal_profile_um
from core.settings import Settings
from core.shadow_agreement import read_agreement
from core.tables.models import ModelState
from core.tables.shadow_predictions import ShadowPredictionRow
from core.values.laterality import Laterality
from core.values.prediction import ModelIdentity
from core.values.profile import Profile, Quality
from core.values.reason import ReasonCode
from core.values.scan import Device
from inference.errors import ModelNotFound
from inference.examination import Examination
from inference.executors.in_process import InProcess
from inference.loading import known_models
from inference.model_card import CARD_FILE, ModelCard, ModelKind
from inference.model_card_writer import write_card
from inference.scorer import Scorer
from inference.scorers import ModelAway, RecordedScorers, Scorers
from inference.shadow_scorer import ShadowScorer
from tests.builders.archive import keep_prediction
from tests.builders.prediction import build_prediction
from tests.unit.inference.small_models import small_model

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


_HERE = InProcess(Settings(device="cpu"))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two versions of a small model, to copy from."""
    folder = tmp_path_factory.mktemp("models")
    small_model(folder, version="1.0.0", seed=1)
    small_model(folder, version="2.0.0", seed=2)
    return folder


@pytest.fixture
def node(settings: Settings, models: Path) -> Settings:
    """Settings of a node that has the small models, and scores by their name."""
    folder = settings.home / "models"
    folder.parent.mkdir(parents=True)
    folder.symlink_to(models)
    return settings.model_copy(update={"device": "cpu"})


@pytest.fixture
def recorded(node: Settings, database: Database) -> RecordedScorers:
    """Who scores on a node whose small model 1.0.0 is active."""
    change(node, database, "1.0.0", activate_model)
    return RecordedScorers(node, database)


def change(settings: Settings, database: Database, version: str, function) -> None:
    with database.transaction() as session:
        register_models(session, known_models(settings))
        (wanted,) = [
            model.identity
            for model in list_models(session)
            if (model.identity.name, model.identity.version) == ("smallnet", version)
        ]
        function(session, wanted, settings.model)


def examination(age_years: float | None = 60.0, **more: object) -> Examination:
    profile = Profile(normal_profile_um(60.0).astype(np.float32), Quality(True, 0.9))
    found = Examination(Device(), Laterality.RIGHT, None, age_years, profile=profile)
    return replace(found, **more)


def active(scorers: Scorers) -> ModelIdentity:
    return scorers.active[ModelKind.PROFILE].identity


def test_active_model_scores_and_every_installed_one_is_recorded(
    recorded: RecordedScorers, database: Database
) -> None:
    (estimate,) = recorded.current().estimate([examination()])

    assert estimate is not None
    assert (active(recorded.current()).name, active(recorded.current()).version) == (
        "smallnet",
        "1.0.0",
    )
    with database.reading() as session:
        known = {(m.identity.name, m.identity.version): m.state for m in list_models(session)}
    assert known["smallnet", "1.0.0"] is ModelState.ACTIVE
    assert known["smallnet", "2.0.0"] is ModelState.INSTALLED
    assert any(name == "retinervenet" for name, _ in known)


def test_model_stays_loaded_while_nothing_changes(recorded: RecordedScorers) -> None:
    assert recorded.current() is recorded.current()


def test_activated_model_scores_from_the_next_group_on(
    recorded: RecordedScorers, node: Settings, database: Database
) -> None:
    first = recorded.current()
    (before,) = first.estimate([examination()])

    change(node, database, "2.0.0", activate_model)

    (after,) = recorded.current().estimate([examination()])
    assert active(recorded.current()).version == "2.0.0"
    assert active(recorded.current()).digest != active(first).digest
    assert before is not None
    assert after is not None
    assert not np.array_equal(before.sensitivities_db, after.sensitivities_db)


def test_shadow_is_picked_up_and_loads_the_active_model_no_second_time(
    recorded: RecordedScorers, node: Settings, database: Database
) -> None:
    before = recorded.current().active[ModelKind.PROFILE]

    change(node, database, "2.0.0", shadow_model)

    scorers = recorded.current()
    assert scorers.active[ModelKind.PROFILE] is before
    assert [shadow.card.version for shadow in scorers.shadows] == ["2.0.0"]


def test_scans_wait_while_the_activated_model_is_not_here(
    recorded: RecordedScorers, node: Settings, database: Database
) -> None:
    change(node, database, "2.0.0", activate_model)
    folder = node.home / "models"
    kept = folder.readlink()
    folder.unlink()

    with pytest.raises(ModelAway, match=r"smallnet 2\.0\.0") as away:
        recorded.current()

    assert isinstance(away.value, InfrastructureError)
    folder.symlink_to(kept)
    assert active(recorded.current()).version == "2.0.0"


def test_node_whose_active_model_is_gone_does_not_start(node: Settings, database: Database) -> None:
    change(node, database, "2.0.0", activate_model)
    (node.home / "models").unlink()

    with pytest.raises(ModelNotFound, match=r"smallnet 2\.0\.0"):
        RecordedScorers(node, database)


def test_kind_without_a_model_is_not_scored(recorded: RecordedScorers) -> None:
    photograph = examination(kind=ModelKind.FUNDUS)

    assert set(recorded.current().age_limits_years) == {ModelKind.PROFILE}
    assert recorded.current().judged([photograph]) == [photograph]
    assert recorded.current().estimate([photograph]) == [None]


def test_age_outside_the_card_is_refused_and_a_missing_one_never_scored(
    recorded: RecordedScorers,
) -> None:
    scorers = recorded.current()

    child, unknown = scorers.judged([examination(age_years=12.0), examination(age_years=None)])

    assert [reason.code for reason in child.reasons] == [ReasonCode.OUTSIDE_INTENDED_USE]
    assert scorers.estimate([child, unknown]) == [None, None]


@pytest.fixture
def prediction_id(database: Database) -> str:
    with database.transaction() as session:
        prediction = build_prediction()
        keep_prediction(session, prediction)
    return prediction.prediction_id


def shadow_rows(database: Database) -> list[ShadowPredictionRow]:
    with database.reading() as session:
        return list(session.exec(select(ShadowPredictionRow)).all())


def shadow_of(models: Path, version: str = "2.0.0") -> ShadowScorer:
    from inference.model_card import read_card

    return ShadowScorer(read_card(models / f"smallnet-{version}"), _HERE)


def test_shadow_keeps_its_field_once_beside_the_result(
    models: Path, database: Database, prediction_id: str
) -> None:
    shadow = shadow_of(models)

    for _ in range(2):
        shadow.watch(database, utc_now, [(prediction_id, examination())])

    (row,) = shadow_rows(database)
    assert (row.prediction_id, row.model_digest) == (prediction_id, shadow.card.digest)
    (expected,) = Scorer.load(shadow.card, "cpu").estimate([examination()])
    assert expected is not None
    assert row.sensitivities_db == pytest.approx(expected.sensitivities_db, abs=1e-3)
    with database.reading() as session:
        (found,) = read_agreement(session, shadow.card.digest)
    assert (found.scans, found.both, found.only_result, found.only_shadow) == (1, 1, 0, 0)


def test_shadow_says_why_it_gives_no_field(
    models: Path, database: Database, prediction_id: str, tmp_path: Path
) -> None:
    card = replace(small_model(tmp_path, seed=2), trained_age_range_years=(20.0, 50.0))
    write_card(card)

    ShadowScorer(card, _HERE).watch(database, utc_now, [(prediction_id, examination())])

    (row,) = shadow_rows(database)
    assert (row.sensitivities_db, [reason["code"] for reason in row.reasons]) == (
        None,
        ["outside_intended_use"],
    )
    with database.reading() as session:
        (found,) = read_agreement(session, card.digest)
    assert (found.only_result, found.mean_difference_db) == (1, None)


def test_shadow_leaves_alone_what_is_not_for_it(
    models: Path, database: Database, prediction_id: str
) -> None:
    refused = examination(age_years=None)
    photograph = examination(kind=ModelKind.FUNDUS)

    shadow_of(models).watch(
        database, utc_now, [(prediction_id, refused), (prediction_id, photograph)]
    )

    assert shadow_rows(database) == []


def test_damaged_shadow_fails_nothing(
    database: Database, prediction_id: str, tmp_path: Path
) -> None:
    card: ModelCard = small_model(tmp_path)
    card.weights_path.write_bytes(b"damaged")

    ShadowScorer(card, _HERE).watch(database, utc_now, [(prediction_id, examination())])

    assert shadow_rows(database) == []


def test_shadow_whose_files_are_gone_is_left_out(
    recorded: RecordedScorers, node: Settings, database: Database, models: Path, tmp_path: Path
) -> None:
    change(node, database, "2.0.0", shadow_model)
    card = models / "smallnet-2.0.0" / CARD_FILE
    card.rename(tmp_path / CARD_FILE)

    assert recorded.current().shadows == ()

    (tmp_path / CARD_FILE).rename(card)
