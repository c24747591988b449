"""Metrics that are looked up when a monitor asks: what waits, who is there, what is active."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session, col

from core.clock import utc_now
from core.database import database_seconds
from core.metrics.counting import Series
from core.metrics.register import (
    ASSOCIATIONS,
    BEHIND,
    DELIVERIES,
    DESTINATION_UP,
    DEVICE_SEEN,
    JOB_AGE,
    JOBS,
    MODEL,
    PEER_SEEN,
    PEER_SILENT,
    QUARANTINE,
    REFUSED_CALLERS,
    REVIEWS_ASKED,
    Metric,
)
from core.metrics.totals import behind
from core.model_choice import shown_state
from core.models import list_models
from core.peer_sightings import silent_peers
from core.tables.columns import key_of
from core.tables.deliveries import DeliveryRow, DeliveryState
from core.tables.destinations import CircuitState, DestinationRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.peers import PeerRow, RefusedCallerRow
from core.tables.quarantine import QuarantineRow
from core.tables.reviews import ReviewRequestRow
from core.tables.sightings import DeviceRow, PeerSightingRow

_Found = Iterator[tuple[Series, float]]

_UNFINISHED = (JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.FAILED)
_UNDERWAY = (DeliveryState.WAITING, DeliveryState.SENDING, DeliveryState.GAVE_UP)


def look_up(session: Session, setting: str) -> Mapping[Series, float]:
    """Return every series with its value now.

    Parameters
    ----------
    setting
        `ARCUATE_MODEL`.
    """
    found = {
        **dict(_jobs(session)),
        **dict(_ages(session)),
        **dict(_deliveries(session)),
        **dict(_destinations(session)),
        **dict(_devices(session)),
        **dict(_peers(session)),
        **dict(_callers(session)),
        **dict(_models(session, setting)),
    }
    found[_series(BEHIND)] = behind(session)
    for metric, table in ((REVIEWS_ASKED, ReviewRequestRow), (QUARANTINE, QuarantineRow)):
        statement = select(func.count()).select_from(table)
        found[_series(metric)] = session.execute(statement).scalar_one()
    return found


def _jobs(session: Session) -> _Found:
    # Each kind and state, the empty ones too: an alert must tell 0 from nothing.
    for kind in JobKind:
        for state in _UNFINISHED:
            yield _series(JOBS, kind, state), 0
    statement = (
        select(col(JobRow.kind), col(JobRow.status), func.count())
        .where(col(JobRow.status).in_(_UNFINISHED))
        .group_by(col(JobRow.kind), col(JobRow.status))
    )
    for kind, state, count in session.execute(statement):
        yield _series(JOBS, kind, state), count


def _ages(session: Session) -> _Found:
    for kind in JobKind:
        yield _series(JOB_AGE, kind), 0
    now, clock = database_seconds(session), utc_now()
    status = col(JobRow.status)
    waits = (status == JobStatus.QUEUED) & (col(JobRow.available_at) <= now)
    # Whoever held it did not come back: it waits for the next one.
    is_lost = (status == JobStatus.RUNNING) & (col(JobRow.lease_until) < now)
    statement = (
        select(col(JobRow.kind), func.min(JobRow.created_at))
        # The states by themselves, too: an index leaves out by them what is done.
        .where(status.in_((JobStatus.QUEUED, JobStatus.RUNNING)), waits | is_lost)
        .group_by(col(JobRow.kind))
    )
    for kind, oldest in session.execute(statement):
        yield _series(JOB_AGE, kind), max(0.0, (clock - oldest).total_seconds())


def _deliveries(session: Session) -> _Found:
    statement = (
        select(col(DestinationRow.name), col(DeliveryRow.state), func.count())
        .join(DestinationRow, col(DestinationRow.id) == col(DeliveryRow.destination_id))
        .where(col(DeliveryRow.state).in_(_UNDERWAY), col(DeliveryRow.dismissed_at).is_(None))
        .group_by(col(DestinationRow.name), col(DeliveryRow.state))
    )
    counts = {(name, state): count for name, state, count in session.execute(statement)}
    for name in _names_of_destinations(session):
        for state in _UNDERWAY:
            yield _series(DELIVERIES, name, state), counts.get((name, state), 0)


def _names_of_destinations(session: Session) -> list[str]:
    statement = select(col(DestinationRow.name)).where(col(DestinationRow.removed_at).is_(None))
    return list(session.execute(statement).scalars())


def _destinations(session: Session) -> _Found:
    statement = select(col(DestinationRow.name), col(DestinationRow.circuit)).where(
        col(DestinationRow.removed_at).is_(None), col(DestinationRow.enabled).is_(True)
    )
    for name, circuit in session.execute(statement):
        yield _series(DESTINATION_UP, name), float(circuit == CircuitState.CLOSED)


def _devices(session: Session) -> _Found:
    # No serial number, station or institution: those name a place, and here anyone may look.
    for (row,) in session.execute(select(DeviceRow)):
        series = _series(DEVICE_SEEN, str(key_of(row)), row.manufacturer, row.model)
        yield series, _seconds(row.last_seen_at)


def _peers(session: Session) -> _Found:
    silent = {peer.row.ae_title for peer in silent_peers(session, utc_now())}
    statement = select(col(PeerRow.ae_title), PeerSightingRow).outerjoin(
        PeerSightingRow, col(PeerSightingRow.ae_title) == col(PeerRow.ae_title)
    )
    for peer, sighting in session.execute(statement):
        yield _series(PEER_SILENT, peer), float(peer in silent)
        if sighting is not None:
            yield _series(ASSOCIATIONS, peer), sighting.associations
            if sighting.last_object_at is not None:
                yield _series(PEER_SEEN, peer), _seconds(sighting.last_object_at)


def _callers(session: Session) -> _Found:
    counted = func.sum(RefusedCallerRow.count)
    statement = select(col(RefusedCallerRow.reason), counted).group_by(col(RefusedCallerRow.reason))
    for reason, count in session.execute(statement):
        yield _series(REFUSED_CALLERS, reason), count


def _models(session: Session, setting: str) -> _Found:
    models = list_models(session)
    for model in models:
        # As pages show it: the default one scores by its name alone, and is active all the same.
        name, version = model.identity.name, model.identity.version
        yield _series(MODEL, model.kind, name, version, shown_state(model, models, setting)), 1


def _series(metric: Metric, *labels: str) -> Series:
    return metric.name, labels


def _seconds(moment: datetime) -> float:
    return moment.timestamp()
