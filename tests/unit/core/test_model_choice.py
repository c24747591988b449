from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.model_choice import (
    DEFAULT_MODEL,
    KnownModel,
    chosen_model,
    named_model,
    shown_state,
    version_key,
)
from core.tables.models import ModelState
from core.values.prediction import ModelIdentity

EARLIER = datetime(2026, 3, 4, tzinfo=UTC)
LATER = datetime(2026, 3, 5, tzinfo=UTC)


def known(name: str, version: str, kind: str = "profile", **more: object) -> KnownModel:
    model = KnownModel(ModelIdentity(name, version, f"sha256:{name}{version}"), kind)
    return replace(model, **more)


OLD = known(DEFAULT_MODEL, "1.9.0")
NEW = known(DEFAULT_MODEL, "1.10.0")
OTHER = known("othernet", "3.0.0")
FUNDUS = known("fundus_field", "1.0.0", "fundus")


def active(model: KnownModel, at: datetime = EARLIER) -> KnownModel:
    return replace(model, state=ModelState.ACTIVE, activated_at=at)


def test_newest_of_the_default_name_scores_until_something_is_activated() -> None:
    assert chosen_model([OTHER, OLD, NEW], "profile", DEFAULT_MODEL) == NEW


def test_nothing_scores_a_kind_of_which_nothing_was_activated() -> None:
    assert chosen_model([NEW, FUNDUS], "fundus", DEFAULT_MODEL) is None


@pytest.mark.parametrize("model", [OLD, OTHER])
def test_active_model_scores_its_kind_whatever_its_name(model: KnownModel) -> None:
    models = [NEW, active(model), active(FUNDUS)]

    assert chosen_model(models, "profile", DEFAULT_MODEL) == active(model)
    assert chosen_model(models, "fundus", DEFAULT_MODEL) == active(FUNDUS)


def test_named_version_is_pinned_before_what_was_activated() -> None:
    setting = f"{DEFAULT_MODEL}:1.9.0"

    assert chosen_model([OLD, active(NEW)], "profile", setting) == OLD


def test_name_means_its_active_version() -> None:
    older = known("othernet", "2.0.0")

    assert chosen_model([OTHER, active(older)], "profile", "othernet") == active(older)


def test_name_means_the_version_activated_last_where_another_name_is_active() -> None:
    older = known("othernet", "2.0.0", activated_at=EARLIER)
    oldest = known("othernet", "1.0.0", activated_at=LATER)

    assert chosen_model([OTHER, older, oldest, active(NEW)], "profile", "othernet") == oldest


def test_name_never_activated_means_its_newest_version() -> None:
    assert chosen_model([known("othernet", "2.0.0"), OTHER], "profile", "othernet") == OTHER


def test_setting_of_one_kind_leaves_the_other_to_what_was_activated() -> None:
    models = [NEW, active(OTHER), FUNDUS]

    assert chosen_model(models, "profile", "fundus_field") == active(OTHER)
    assert chosen_model(models, "fundus", "fundus_field") == FUNDUS


def test_setting_that_names_nothing_installed_leaves_the_choice_open() -> None:
    assert chosen_model([active(NEW)], "profile", "nobody") == active(NEW)


@pytest.mark.parametrize("state", [ModelState.RETIRED, ModelState.SHADOW])
def test_retired_and_shadow_models_never_score_by_their_name_alone(state: ModelState) -> None:
    newest = replace(NEW, state=state)

    assert chosen_model([newest, OLD], "profile", DEFAULT_MODEL) == OLD
    assert named_model([newest], DEFAULT_MODEL) is None
    assert named_model([newest], f"{DEFAULT_MODEL}:1.10.0") == newest


def test_shown_state_tells_what_really_scores() -> None:
    models = [OLD, active(NEW)]

    assert [shown_state(model, models, DEFAULT_MODEL) for model in models] == [
        ModelState.INSTALLED,
        ModelState.ACTIVE,
    ]
    pinned = f"{DEFAULT_MODEL}:1.9.0"
    assert [shown_state(model, models, pinned) for model in models] == [
        ModelState.ACTIVE,
        ModelState.INSTALLED,
    ]


def test_versions_are_ordered_as_numbers() -> None:
    assert version_key("1.10.0") > version_key("1.9.9")
