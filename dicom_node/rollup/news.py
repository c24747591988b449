"""What the change feed tells the roll-up: arrivals and results since it last looked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from sqlmodel import Session, col, select

from core.changes import changes_after
from core.reviews import last_reviews
from core.study_summaries import Opening
from core.tables.changes import ChangeKind, ChangeRow
from core.tables.feed_positions import FeedPositionRow
from core.tables.instances import InstanceOrigin, InstanceRow
from core.tables.predictions import PredictionRow
from core.tables.series import SeriesRow

READER: Final = "roll_up"
#: Changes read at a time: bounds how long their transaction takes.
BATCH_SIZE: Final = 500
#: What replaces another's content came as well, and the results of that content stand no more.
_ARRIVALS: Final = (ChangeKind.INSTANCE_RECEIVED, ChangeKind.INSTANCE_REPLACED)


class Arrived(NamedTuple):
    """An instance that came, as its rows describe it."""

    study_key: int
    series_key: int
    received_at: datetime
    calling_ae_title: str
    sop_class_uid: str
    transfer_syntax_uid: str
    storage_key: str
    manufacturer: str
    model: str
    serial_number: str


@dataclass(frozen=True)
class News:
    """One batch of changes.

    Attributes
    ----------
    after, until
        The change it begins after, and the last one it holds.
    is_last
        Whether nothing more is there yet.
    """

    after: int
    until: int
    is_last: bool
    arrived: tuple[Arrived, ...]
    openings: tuple[Opening, ...]


def read_news(session: Session) -> News:
    """Return the next batch after the recorded position, in the order of commits."""
    position = session.get_one(FeedPositionRow, READER).number
    changes = changes_after(session, position, BATCH_SIZE)
    arrived = _arrived(session, _subjects(changes, *_ARRIVALS))
    results = _studies_of(session, _subjects(changes, ChangeKind.PREDICTION_RECORDED))
    results += _reviewed(session, _subjects(changes, ChangeKind.PREDICTION_REVIEWED))
    of_others = _without_our_own(session, arrived)
    return News(
        after=position,
        until=changes[-1].number if changes else position,
        is_last=len(changes) < BATCH_SIZE,
        arrived=arrived,
        openings=_openings(of_others, results),
    )


def advance(session: Session, news: News) -> bool:
    """Record that a batch is taken note of; False where another process did so before."""
    position = session.get_one(FeedPositionRow, READER, with_for_update=True)
    if position.number != news.after:
        return False
    position.number = news.until
    return True


def _subjects(changes: Sequence[ChangeRow], *kinds: ChangeKind) -> list[str]:
    return [change.subject for change in changes if change.kind in kinds]


def _arrived(session: Session, sop_instance_uids: Sequence[str]) -> tuple[Arrived, ...]:
    statement = (
        select(InstanceRow, SeriesRow)
        .join(SeriesRow, col(SeriesRow.id) == col(InstanceRow.series_key))
        .where(col(InstanceRow.sop_instance_uid).in_(sop_instance_uids))
        .where(col(InstanceRow.origin) == InstanceOrigin.RECEIVED)
        .order_by(col(InstanceRow.id))
    )
    rows = session.exec(statement).all() if sop_instance_uids else []
    return tuple(_arrival_of(instance, series) for instance, series in rows)


def _without_our_own(session: Session, arrived: Sequence[Arrived]) -> list[Arrived]:
    """Return what came without what a destination sent back: reports, in another form than ours.

    A study they opened again would be reported again, and that report sent back, without end.
    """
    series = {one.series_key for one in arrived}
    statement = select(InstanceRow.series_key).where(
        col(InstanceRow.series_key).in_(series), col(InstanceRow.origin) == InstanceOrigin.PRODUCED
    )
    own = set(session.exec(statement).all()) if series else set()
    return [one for one in arrived if one.series_key not in own]


def _arrival_of(instance: InstanceRow, series: SeriesRow) -> Arrived:
    return Arrived(
        study_key=series.study_key,
        series_key=instance.series_key,
        received_at=instance.received_at,
        calling_ae_title=instance.calling_ae_title,
        sop_class_uid=instance.sop_class_uid,
        transfer_syntax_uid=instance.transfer_syntax_uid,
        storage_key=instance.storage_key,
        manufacturer=series.manufacturer,
        model=series.manufacturer_model_name,
        serial_number=series.device_serial_number,
    )


def _studies_of(session: Session, prediction_ids: Sequence[str]) -> list[tuple[int, datetime]]:
    statement = (
        select(SeriesRow.study_key, PredictionRow.predicted_at)
        .join(InstanceRow, col(InstanceRow.series_key) == col(SeriesRow.id))
        .join(PredictionRow, col(PredictionRow.instance_key) == col(InstanceRow.id))
        .where(col(PredictionRow.id).in_(prediction_ids))
    )
    return list(session.exec(statement).all()) if prediction_ids else []


def _reviewed(session: Session, prediction_ids: Sequence[str]) -> list[tuple[int, datetime]]:
    """Return the studies of reviewed predictions, and when the last decision was made."""
    decided = last_reviews(session, prediction_ids) if prediction_ids else {}
    statement = (
        select(PredictionRow.id, SeriesRow.study_key)
        .join(InstanceRow, col(InstanceRow.id) == col(PredictionRow.instance_key))
        .join(SeriesRow, col(SeriesRow.id) == col(InstanceRow.series_key))
        .where(col(PredictionRow.id).in_(decided))
    )
    found = session.exec(statement).all() if decided else []
    return [(key, decided[prediction_id].reviewed_at) for prediction_id, key in found]


def _openings(
    arrived: Sequence[Arrived], results: Sequence[tuple[int, datetime]]
) -> tuple[Opening, ...]:
    came = [(one.study_key, one.received_at) for one in arrived]
    latest = {**_latest(results, is_arrival=False), **_latest(came, is_arrival=True)}
    # Always in one order, so that no two processes wait for each other's rows.
    return tuple(latest[key] for key in sorted(latest))


def _latest(moments: Sequence[tuple[int, datetime]], *, is_arrival: bool) -> dict[int, Opening]:
    latest: dict[int, Opening] = {}
    for key, at in sorted(moments):
        latest[key] = Opening(key, at, is_arrival)
    return latest
