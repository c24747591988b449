"""Scans that have an answer, in the order they came, newest first.

The order is that of the instances' keys, so that scoring an archive anew moves nothing. Whatever is
asked for, an index gives the rows in that order or names the few that are meant.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, and_, select, text, tuple_
from sqlmodel import Session, col

from api.cursors import encode_cursor, text_cursor
from api.dashboard.advice import SCAN_AGAIN
from api.dashboard.live_filter import LiveFilter, Shown
from api.dashboard.live_row import LiveRow, scored_row
from api.errors import CursorInvalid
from core.tables.instances import InstanceRow
from core.tables.patients import PatientRow
from core.tables.predictions import PredictionRow
from core.tables.reviews import ReviewRequestRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow
from core.values.prediction import PredictionStatus

_LISTING: Final = "live"
PAGE_LENGTH: Final = 50
#: Instances get their keys in the order they came, but for those that came at once.
_AT_ONCE: Final = timedelta(hours=1)
#: Written out, as the condition of the index that gives the order is.
_STANDING: Final = text("predictions.status != 'superseded'")

#: What the list shows; never the arrays, which are most of a row.
_COLUMNS: Final[tuple[Any, ...]] = (
    col(PredictionRow.id),
    col(PredictionRow.instance_key),
    col(PredictionRow.model_digest),
    col(PredictionRow.status),
    col(PredictionRow.laterality),
    col(PredictionRow.manufacturer),
    col(PredictionRow.manufacturer_model_name),
    col(PredictionRow.acquired_at),
    col(PredictionRow.quality_score),
    col(PredictionRow.mean_deviation_db),
    col(PredictionRow.reasons),
    col(PredictionRow.scan_kind),
    col(InstanceRow.received_at),
    col(PatientRow.id).label("patient_key"),
    col(PatientRow.patient_id),
    col(PatientRow.issuer),
    col(PatientRow.name),
)


def results_page(
    session: Session, wanted: LiveFilter, patient_keys: Sequence[int] | None
) -> tuple[list[LiveRow], str | None]:
    """Return a page of scans with their answers, and the cursor of the next one.

    Parameters
    ----------
    patient_keys
        Whose scans, None for everybody's.
    """
    statement = _select().where(_STANDING, *_conditions(session, wanted, patient_keys))
    place = (col(PredictionRow.instance_key), col(PredictionRow.model_digest))
    if wanted.cursor is not None:
        statement = statement.where(tuple_(*place) < tuple_(*_position(wanted.cursor)))
    newest_first = statement.order_by(*(column.desc() for column in place))
    rows = session.execute(newest_first.limit(PAGE_LENGTH + 1)).all()
    page = rows[:PAGE_LENGTH]
    following = None
    if len(rows) > PAGE_LENGTH:
        following = encode_cursor(_LISTING, str(page[-1].instance_key), page[-1].model_digest)
    return [scored_row(row) for row in page], following


def _select() -> Select[Any]:
    return (
        select(*_COLUMNS)
        .join(InstanceRow, col(InstanceRow.id) == col(PredictionRow.instance_key))
        .join(SeriesRow, col(SeriesRow.id) == col(InstanceRow.series_key))
        .join(StudyRow, col(StudyRow.id) == col(SeriesRow.study_key))
        .join(PatientRow, col(PatientRow.id) == col(StudyRow.patient_key))
    )


def _position(cursor: str) -> tuple[int, str]:
    key, digest = text_cursor(_LISTING, cursor, 2)
    if not key.isascii() or not key.isdecimal() or len(key) > len(str(2**31)):
        raise CursorInvalid
    return int(key), digest


def _conditions(
    session: Session, wanted: LiveFilter, patient_keys: Sequence[int] | None
) -> list[Any]:
    conditions = _came(session, wanted)
    if wanted.eye is not None:
        # Half of all rows: in order, and not by the index of the eye.
        conditions.append(col(PredictionRow.laterality).concat("") == wanted.eye)
    if wanted.device is not None:
        maker, _, model = wanted.device.partition("\\")
        conditions.append(col(PredictionRow.manufacturer_model_name) == model)
        conditions.append(col(PredictionRow.manufacturer) == maker)
    if wanted.state is not None:
        conditions.append(_stands(wanted.state))
    if patient_keys is not None:
        conditions.append(col(PredictionRow.instance_key).in_(_instances_of(patient_keys)))
    return conditions


def _stands(state: Shown) -> Any:
    status = col(PredictionRow.status)
    match state:
        case Shown.SCAN_AGAIN:
            first = col(PredictionRow.reasons)[0]["code"].as_string()
            return and_(status == PredictionStatus.NOT_ASSESSABLE, first.in_(SCAN_AGAIN))
        case Shown.TO_REVIEW:
            return col(PredictionRow.id).in_(select(col(ReviewRequestRow.prediction_id)))
    return status == state.value


def _instances_of(patient_keys: Sequence[int]) -> Select[int | None]:
    return (
        select(col(InstanceRow.id))
        .join(SeriesRow, col(SeriesRow.id) == col(InstanceRow.series_key))
        .join(StudyRow, col(StudyRow.id) == col(SeriesRow.study_key))
        .where(col(StudyRow.patient_key).in_(patient_keys))
    )


def _came(session: Session, wanted: LiveFilter) -> list[Any]:
    received_at, key = col(InstanceRow.received_at), col(PredictionRow.instance_key)
    conditions: list[Any] = []
    if wanted.came_from is not None:
        first = _last_key_before(session, wanted.came_from - _AT_ONCE)
        conditions += [received_at >= wanted.came_from, key > first]
    if wanted.came_before is not None:
        last = _last_key_before(session, wanted.came_before + _AT_ONCE)
        conditions += [received_at < wanted.came_before, key <= last]
    return conditions


def _last_key_before(session: Session, moment: datetime) -> int:
    received_at = col(InstanceRow.received_at)
    statement = select(col(InstanceRow.id)).where(received_at < moment)
    return session.execute(statement.order_by(received_at.desc()).limit(1)).scalar() or 0
