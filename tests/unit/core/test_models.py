import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from core.database import Database
from core.model_choice import DEFAULT_MODEL, KnownModel, chosen_model
from core.model_history import NothingToUndo, former_model, list_changes
from core.models import (
    ModelStateRefused,
    activate_model,
    keep_choice,
    list_models,
    models_of_any_record,
    register_models,
    retire_model,
    shadow_model,
)
from core.tables.models import ModelState
from core.values.prediction import ModelIdentity

AT = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
LATER = datetime(2026, 3, 5, 9, 30, tzinfo=UTC)
OLD = ModelIdentity(DEFAULT_MODEL, "1.0.0", "sha256:a")
NEW = ModelIdentity(DEFAULT_MODEL, "2.0.0", "sha256:b")
OTHERNET_2 = ModelIdentity("othernet", "2.0.0", "sha256:e")
FUNDUS = ModelIdentity("fundus_field", "1.0.0", "sha256:c")


@pytest.fixture
def registered(database: Database) -> Database:
    known = [KnownModel(OLD, "profile"), KnownModel(NEW, "profile"), KnownModel(FUNDUS, "fundus")]
    with database.transaction() as session:
        register_models(session, known, AT)
    return database


def states(database: Database) -> dict[str, ModelState]:
    with database.reading() as session:
        return {model.identity.digest[-1]: model.state for model in list_models(session)}


def change(database: Database, function, identity: ModelIdentity, setting=DEFAULT_MODEL) -> None:
    with database.transaction() as session:
        function(session, identity, setting, LATER)


def test_registered_models_are_installed_since_then(registered: Database) -> None:
    with registered.reading() as session:
        models = list_models(session)

    assert [model.identity for model in models] == [FUNDUS, OLD, NEW]
    assert {(model.state, model.since, model.activated_at) for model in models} == {
        (ModelState.INSTALLED, AT, None)
    }


def test_registering_again_or_under_another_name_changes_nothing(registered: Database) -> None:
    renamed = KnownModel(ModelIdentity("copy", "1.0.0", OLD.digest), "profile")
    replaced = KnownModel(ModelIdentity(OLD.name, OLD.version, "sha256:z"), "profile")

    with registered.transaction() as session:
        register_models(session, [KnownModel(OLD, "profile"), renamed, replaced], LATER)

    assert set(states(registered)) == {"a", "b", "c"}


def test_one_model_of_a_kind_is_active(registered: Database) -> None:
    for identity in (OLD, FUNDUS, NEW):
        change(registered, activate_model, identity)

    expected = {"a": ModelState.INSTALLED, "b": ModelState.ACTIVE, "c": ModelState.ACTIVE}
    assert states(registered) == expected
    with registered.reading() as session:
        assert [model.activated_at for model in list_models(session)] == [LATER] * 3


@pytest.mark.parametrize("setting", [f"{DEFAULT_MODEL}:1.0.0", "nobody"])
def test_activating_what_the_setting_overrules_is_refused(
    registered: Database, setting: str
) -> None:
    with pytest.raises(ModelStateRefused, match=f"ARCUATE_MODEL is {setting}"):
        change(registered, activate_model, NEW, setting)

    assert states(registered)["b"] is ModelState.INSTALLED


def test_shadow_stands_beside_the_active_one(registered: Database) -> None:
    change(registered, activate_model, OLD)

    change(registered, shadow_model, NEW)

    assert (states(registered)["a"], states(registered)["b"]) == ("active", "shadow")


@pytest.mark.parametrize(
    ("identity", "cause"),
    [(NEW, "scores already"), (FUNDUS, "No fundus model is active")],
    ids=["found-by-its-name", "nothing-to-score-beside"],
)
def test_shadow_is_refused_where_it_means_nothing(
    registered: Database, identity: ModelIdentity, cause: str
) -> None:
    with pytest.raises(ModelStateRefused, match=cause):
        change(registered, shadow_model, identity)

    assert ModelState.SHADOW not in states(registered).values()


@pytest.mark.parametrize("activate_first", [True, False], ids=["activated", "found-by-its-name"])
def test_active_profile_model_is_not_retired(registered: Database, activate_first: bool) -> None:
    if activate_first:
        change(registered, activate_model, NEW)

    with pytest.raises(ModelStateRefused, match="activate` another one"):
        change(registered, retire_model, NEW)

    assert ModelState.RETIRED not in states(registered).values()


def test_replaced_model_and_shadow_are_retired_and_come_back(registered: Database) -> None:
    change(registered, activate_model, OLD)
    change(registered, shadow_model, NEW)

    change(registered, retire_model, NEW)
    assert states(registered)["b"] is ModelState.RETIRED

    change(registered, activate_model, NEW)
    change(registered, retire_model, OLD)
    assert (states(registered)["a"], states(registered)["b"]) == ("retired", "active")


def test_fundus_photographs_can_be_left_unscored_again(registered: Database) -> None:
    change(registered, activate_model, FUNDUS)

    change(registered, retire_model, FUNDUS)

    assert states(registered)["c"] is ModelState.RETIRED


def test_model_that_the_setting_pins_is_not_retired(registered: Database) -> None:
    with pytest.raises(ModelStateRefused, match="fundus_field"):
        change(registered, retire_model, FUNDUS, "fundus_field:1.0.0")


@pytest.mark.parametrize("function", [activate_model, shadow_model, retire_model])
def test_other_weights_under_a_known_version_come_to_no_state(
    registered: Database, function
) -> None:
    with pytest.raises(ModelStateRefused, match="other weights"):
        change(registered, function, ModelIdentity(OLD.name, OLD.version, "sha256:z"))


def test_two_activations_at_a_time_leave_one_active(registered: Database) -> None:
    start = threading.Barrier(2)

    def activate(identity: ModelIdentity) -> None:
        start.wait()
        change(registered, activate_model, identity)

    threads = [threading.Thread(target=activate, args=(identity,)) for identity in (OLD, NEW)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(states(registered).values()).count(ModelState.ACTIVE) == 1


def test_record_from_before_models_knows_none(tmp_path: Path) -> None:
    empty = Database(f"sqlite:///{tmp_path / 'old.db'}")

    assert models_of_any_record(empty) == ()
    empty.close()


def test_kept_choice_stays_when_a_newer_version_comes(registered: Database) -> None:
    newest = KnownModel(ModelIdentity(DEFAULT_MODEL, "3.0.0", "sha256:d"), "profile")

    with registered.transaction() as session:
        keep_choice(session, DEFAULT_MODEL)
        register_models(session, [newest])
        chosen = chosen_model(list_models(session), "profile", DEFAULT_MODEL)

    assert chosen is not None
    assert chosen.identity == NEW
    assert states(registered)["b"] is ModelState.ACTIVE


def test_kept_choice_of_a_setting_leaves_what_was_activated(registered: Database) -> None:
    other = KnownModel(ModelIdentity("othernet", "1.0.0", "sha256:d"), "profile")
    change(registered, activate_model, OLD)

    with registered.transaction() as session:
        register_models(session, [other])
        keep_choice(session, "othernet")
        register_models(session, [replace(other, identity=OTHERNET_2)])
        chosen = chosen_model(list_models(session), "profile", "othernet")

    assert chosen is not None
    assert chosen.identity == other.identity
    assert states(registered)["a"] is ModelState.ACTIVE


def test_keeping_a_choice_activates_nothing_of_a_kind_that_is_not_scored(
    registered: Database,
) -> None:
    with registered.transaction() as session:
        keep_choice(session, DEFAULT_MODEL)

    assert states(registered)["c"] is ModelState.INSTALLED


def test_card_is_kept_with_the_model_and_replaced_by_a_newer_reading(database: Database) -> None:
    identity = ModelIdentity("carded", "1.0.0", "sha256:" + "c" * 64)
    for card in ({"intended_use": "first"}, {"intended_use": "second"}, None):
        with database.transaction() as session:
            register_models(session, [KnownModel(identity, "profile", card=card)])

    with database.reading() as session:
        [model] = [one for one in list_models(session) if one.identity == identity]
    assert model.card == {"intended_use": "second"}


def test_card_of_other_weights_is_not_kept(database: Database) -> None:
    first = ModelIdentity("carded", "1.0.0", "sha256:" + "c" * 64)
    other = ModelIdentity("carded", "1.0.0", "sha256:" + "d" * 64)
    with database.transaction() as session:
        register_models(session, [KnownModel(first, "profile")])
        register_models(session, [KnownModel(other, "profile", card={"intended_use": "x"})])

    with database.reading() as session:
        [model] = list_models(session)
    assert (model.identity, model.card) == (first, None)


def test_models_of_a_record_that_is_yet_to_be_migrated_are_known(database: Database) -> None:
    with database.transaction() as session:
        register_models(session, [KnownModel(OLD, "profile", card={"intended_use": "x"})])
        session.execute(text("ALTER TABLE models DROP COLUMN card"))

    [model] = models_of_any_record(database)

    assert (model.identity, model.card) == (OLD, None)


def test_going_back_finds_what_scored_by_its_name_only(registered: Database) -> None:
    change(registered, activate_model, OLD)

    with registered.reading() as session:
        models, changes = list_models(session), list_changes(session)
        assert former_model(models).identity == NEW
        with pytest.raises(NothingToUndo):
            former_model(models, "fundus")

    assert [(row.version, row.state_before, row.state) for row in changes][::-1] == [
        ("2.0.0", "installed", "active"),
        ("2.0.0", "active", "installed"),
        ("1.0.0", "installed", "active"),
    ]


def test_activating_one_kind_leaves_the_choice_of_another_open(registered: Database) -> None:
    change(registered, activate_model, FUNDUS)

    with registered.reading() as session:
        assert {row.kind for row in list_changes(session)} == {"fundus"}
