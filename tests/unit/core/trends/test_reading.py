from datetime import UTC, datetime

import numpy as np
import pytest

from core.database import Database
from core.measured_fields import Origin, record_measured_field
from core.perimetry.trend import Line
from core.reviews import record_review
from core.tables.columns import key_of
from core.tables.predictions import PredictionRow
from core.trends.reading import _statement, read_trend
from core.trends.result import Index, Place
from core.values.identity import PatientIdentity
from core.values.laterality import Laterality
from core.values.measured_field import FieldSource
from core.values.prediction import PredictionStatus
from core.values.profile import sector_means
from core.values.reason import ReasonCode
from core.values.review import Amendment, ReviewDecision, ReviewDraft
from tests.builders.archive import keep_patient
from tests.builders.prediction import build_thickness_um
from tests.builders.visits import (
    FIVE_DB,
    PATIENT,
    build_measured_field,
    keep_visit,
    keep_visits,
)
from tests.fixtures.query_plan import plan_of, reads_a_table_whole

_NOW = datetime(2026, 3, 4, tzinfo=UTC)


def _patient_key(database: Database) -> int:
    with database.transaction() as session:
        return key_of(keep_patient(session, PATIENT))


def test_trend_holds_what_was_kept_of_this_eye_of_this_patient(database: Database) -> None:
    with database.transaction() as session:
        names = keep_visits(session)
        keep_visits(session, PATIENT, Laterality.LEFT)
        keep_visits(session, PatientIdentity("P-0001", "Elsewhere"))

    with database.reading() as session:
        trend = read_trend(session, _patient_key(database), Laterality.RIGHT)

    assert [result.prediction_id for result in trend.results] == names
    [run] = trend.runs
    assert [result.mean_deviation_db for result in run.results] == list(FIVE_DB)
    line = run.lines[Index.MEAN_DEVIATION]
    assert isinstance(line, Line)
    assert line.slope_per_year == pytest.approx(np.polyfit(range(5), FIVE_DB, 1)[0], rel=1e-3)
    profile = build_thickness_um()
    told = run.results[0].rnfl_um
    assert told[Index.RNFL_MEAN] == pytest.approx(float(np.mean(profile)), abs=1e-3)
    assert {i.value: told[i] for i in Index if i.value in sector_means(profile)} == pytest.approx(
        sector_means(profile), abs=1e-3
    )


def test_each_result_is_placed_by_what_people_and_models_said(database: Database) -> None:
    drafts = {
        "accepted": ReviewDraft(ReviewDecision.ACCEPT, "clinician"),
        "rejected": ReviewDraft(ReviewDecision.REJECT, "clinician", "eye moved"),
        "unfit": ReviewDraft(ReviewDecision.AMEND, "c", "blink", Amendment(assessable=False)),
        "amended": ReviewDraft(ReviewDecision.AMEND, "c", "", Amendment(mean_deviation_db=-9)),
    }
    with database.transaction() as session:
        for number, name in enumerate((*drafts, "refused", "broken", "replaced")):
            statuses = {
                "refused": PredictionStatus.NOT_ASSESSABLE,
                "broken": PredictionStatus.FAILED,
            }
            status = statuses.get(name, PredictionStatus.FINAL)
            at = datetime(2019 + number, 3, 4, tzinfo=UTC)
            keep_visit(session, name, at, -2.0, status=status)
            if name in drafts:
                record_review(session, name, drafts[name], _NOW)
        session.get_one(PredictionRow, "replaced").status = PredictionStatus.SUPERSEDED

    with database.reading() as session:
        trend = read_trend(session, _patient_key(database), Laterality.RIGHT)

    assert {result.prediction_id: result.place for result in trend.results} == {
        "accepted": Place.COUNTED,
        "rejected": Place.WITHHELD,
        "unfit": Place.WITHHELD,
        "amended": Place.AMENDED,
        "refused": Place.NOT_ASSESSABLE,
        "broken": Place.FAILED,
    }
    refused = next(r for r in trend.results if r.prediction_id == "refused")
    assert refused.reasons == (ReasonCode.SIGNAL_TOO_LOW,)


def test_measured_field_is_compared_by_the_norm_of_the_estimates(database: Database) -> None:
    key = _patient_key(database)
    with database.transaction() as session:
        field = build_measured_field(mean_deviation_db=-7.25)
        record_measured_field(session, field, Origin(key, FieldSource.CSV, "k"), _NOW)

    with database.reading() as session:
        [visit] = read_trend(session, key, field.laterality).measured

    assert visit.measured_at == field.measured_at
    assert visit.device_mean_deviation_db == -7.25
    # By the norm of the estimates this field is that of the mean healthy eye.
    assert visit.mean_deviation_db == pytest.approx(0.0, abs=0.01)


def test_one_eye_is_found_without_reading_those_of_others(database: Database) -> None:
    plan = plan_of(database, _statement(7, Laterality.RIGHT))

    assert "ix_studies_patient_key" in plan
    assert "instance_key" in plan
    assert not reads_a_table_whole(plan), plan
