from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from core import shadow_agreement
from core.database import Database
from core.perimetry.limits_of_agreement import MINIMUM_PAIRS
from core.shadow_agreement import read_agreement
from core.shadow_predictions import ShadowPrediction, record_shadow_prediction
from core.values.prediction import FieldEstimate, ModelIdentity
from tests.builders.visits import build_visit, keep_visit

_SHADOW = ModelIdentity("othernet", "2.0.0", "sha256:ff")
_AT = datetime(2026, 3, 4, tzinfo=UTC)


def _watch(database: Database, name: str, shift_db: float | None, **changes: object) -> None:
    """Keep a result, and beside it what a shadow made of it: moved by so much, or nothing."""
    beside = build_visit(name, _AT, -3.0, **changes)
    found = ShadowPrediction(name, _SHADOW, _AT)
    if shift_db is not None:
        estimate = beside.estimate
        assert estimate is not None
        moved = (estimate.sensitivities_db, estimate.lower_db, estimate.upper_db)
        found = replace(
            found,
            estimate=FieldEstimate(*(array + np.float32(shift_db) for array in moved)),
            mean_deviation_db=-3.0 + shift_db,
        )
    with database.transaction() as session:
        keep_visit(session, name, _AT, -3.0, **changes)
        record_shadow_prediction(session, found)


def test_agreement_is_told_for_each_model_that_gave_results(database: Database) -> None:
    shifts = [0.5, -1.5, 2.0, 0.0, 1.0, -0.5, 0.5, 1.5, -2.0, 0.0]
    for number, shift in enumerate(shifts):
        _watch(database, f"a{number}", shift)
    _watch(database, "only result", None)
    other = ModelIdentity("retinervenet", "3.0.0", "sha256:cc")
    _watch(database, "b", 4.0, model=other)

    with database.reading() as session:
        found = {one.result_model.version: one for one in read_agreement(session, _SHADOW.digest)}

    first, second = found["1.0.0"], found["3.0.0"]
    assert (first.scans, first.both, first.only_result, first.only_shadow) == (11, 10, 1, 0)
    assert first.mean_absolute_error_db == pytest.approx(np.mean(np.abs(shifts)), abs=1e-4)
    assert first.mean_difference_db == pytest.approx(np.mean(shifts), abs=1e-4)
    limits = first.mean_deviation
    assert limits is not None
    assert (limits.pairs, limits.bias) == (MINIMUM_PAIRS, pytest.approx(np.mean(shifts)))
    assert limits.upper == pytest.approx(np.mean(shifts) + 1.959964 * np.std(shifts, ddof=1))
    assert {result for result, _ in first.pairs_db} == {-3.0}
    assert sorted(s for _, s in first.pairs_db) == pytest.approx(sorted(s - 3.0 for s in shifts))
    assert (second.both, second.mean_absolute_error_db) == (1, pytest.approx(4.0, abs=1e-4))


def test_only_the_newest_scans_are_looked_at(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shadow_agreement, "MOST_SCANS", 2)
    for number, shift in enumerate([9.0, 1.0, 2.0]):
        _watch(database, f"a{number}", shift)

    with database.reading() as session:
        [found] = read_agreement(session, _SHADOW.digest)

    assert found.mean_absolute_error_db == pytest.approx(1.5, abs=1e-4)


def test_a_model_that_never_watched_agrees_with_none(database: Database) -> None:
    with database.reading() as session:
        assert read_agreement(session, "sha256:none") == []
