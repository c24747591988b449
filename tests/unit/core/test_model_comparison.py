from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from sqlmodel import select

from core.database import Database
from core.model_comparison import ModelComparison, compare_models
from core.predictions import record_prediction, supersede_predictions
from core.shadow_predictions import ShadowPrediction, record_shadow_prediction
from core.tables.predictions import PredictionRow
from core.values.prediction import FieldEstimate, ModelIdentity
from tests.builders.visits import build_visit, keep_visit

AT = datetime(2026, 3, 4, tzinfo=UTC)
ACTIVE = ModelIdentity("retinervenet", "1.0.0", "sha256:aa")
NEW = ModelIdentity("othernet", "2.0.0", "sha256:bb")
OTHER = ModelIdentity("othernet", "3.0.0", "sha256:cc")


def watch(database: Database, name: str, model: ModelIdentity, shift_db: float | None) -> None:
    """Keep what a model made beside a result: its field moved by so much, or nothing."""
    found = ShadowPrediction(name, model, AT)
    if shift_db is not None:
        estimate = build_visit(name, AT, -3.0).estimate
        assert estimate is not None
        moved = (estimate.sensitivities_db, estimate.lower_db, estimate.upper_db)
        found = replace(
            found,
            estimate=FieldEstimate(*(array + np.float32(shift_db) for array in moved)),
            mean_deviation_db=-3.0 + shift_db,
        )
    with database.transaction() as session:
        record_shadow_prediction(session, found)


def keep(database: Database, name: str) -> None:
    with database.transaction() as session:
        keep_visit(session, name, AT, -3.0, model=ACTIVE)


def compared(database: Database, one: ModelIdentity, other: ModelIdentity) -> ModelComparison:
    with database.reading() as session:
        return compare_models(session, one.digest, other.digest)


def test_a_shadow_is_compared_with_the_results_beside_it(database: Database) -> None:
    shifts = [2.0, -1.0, None, *[0.5] * 8]
    for number, shift in enumerate(shifts):
        keep(database, f"p{number}")
        watch(database, f"p{number}", NEW, shift)
    keep(database, "unwatched")

    found, turned = compared(database, NEW, ACTIVE), compared(database, ACTIVE, NEW)

    known = [shift for shift in shifts if shift is not None]
    assert (found.eyes, found.both, found.only_first, found.only_second) == (11, 10, 0, 1)
    assert (turned.only_first, turned.only_second) == (1, 0)
    assert found.mean_difference_db == pytest.approx(np.mean(known), abs=1e-4)
    assert found.mean_absolute_difference_db == pytest.approx(np.mean(np.abs(known)), abs=1e-4)
    assert found.mean_deviation_bias_db == pytest.approx(np.mean(known), abs=1e-4)
    half = 1.959964 * np.std(known, ddof=1)
    assert found.mean_deviation_upper_db == pytest.approx(np.mean(known) + half, abs=1e-4)
    assert turned.mean_deviation_lower_db == pytest.approx(-np.mean(known) - half, abs=1e-4)
    assert found.largest_mean_deviation_difference_db == pytest.approx(2.0, abs=1e-4)


def test_two_shadows_are_compared_over_the_scans_both_watched(database: Database) -> None:
    for name in ("a", "b"):
        keep(database, name)
        watch(database, name, NEW, 1.0)
    watch(database, "a", OTHER, -1.0)

    found = compared(database, NEW, OTHER)

    assert (found.eyes, found.both) == (1, 1)
    assert found.mean_difference_db == pytest.approx(2.0, abs=1e-4)
    assert (found.mean_deviation_lower_db, found.mean_deviation_upper_db) == (None, None)


def test_what_was_made_of_a_content_that_was_replaced_is_no_pair(database: Database) -> None:
    keep(database, "a")
    watch(database, "a", OTHER, 1.0)
    anew = replace(build_visit("a", AT, -9.0, model=NEW), prediction_id="anew")
    with database.transaction() as session:
        instance_key = session.exec(select(PredictionRow.instance_key)).one()
        supersede_predictions(session, instance_key)
        record_prediction(session, anew, instance_key, None)
    watch(database, "anew", ACTIVE, 2.0)

    assert compared(database, NEW, OTHER) == ModelComparison(0, 0, 0, 0)
    found = compared(database, ACTIVE, NEW)
    assert (found.eyes, found.both) == (1, 1)
    assert found.mean_difference_db == pytest.approx(2.0, abs=1e-4)


def test_models_without_a_scan_in_common_have_no_figures(database: Database) -> None:
    keep(database, "a")
    assert compared(database, NEW, ACTIVE) == ModelComparison(0, 0, 0, 0)
