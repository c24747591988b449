"""Which webhook is to be told next, and by whom: a lease on its row."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, col, select, update

from core.clock import utc_now
from core.database import database_seconds
from core.ledger import LeaseLost
from core.tables.changes import ChangeCounterRow
from core.tables.columns import key_of
from core.tables.webhooks import WebhookRow


@dataclass(frozen=True)
class ClaimedWebhook:
    """A webhook that one worker tells until its lease ends."""

    key: int
    worker: str
    name: str
    url: str
    secret: str
    kinds: tuple[str, ...]
    position: int
    is_test_asked: bool
    #: One that is not is claimed for its test message alone.
    enabled: bool
    failures: int


def has_due_webhook(session: Session) -> bool:
    """Whether there is anything to tell; costs no lock."""
    due = _is_due(database_seconds(session))
    return session.exec(select(WebhookRow.id).where(due).limit(1)).first() is not None


def claim_webhook(session: Session, worker: str, lease_seconds: float) -> ClaimedWebhook | None:
    """Take the webhook that waits longest, None where none is due."""
    now = database_seconds(session)
    statement = (
        select(WebhookRow)
        .where(_is_due(now))
        .order_by(col(WebhookRow.available_at), col(WebhookRow.id))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = session.exec(statement).first()
    if row is None:
        return None
    row.leased_by, row.lease_until = worker, now + lease_seconds
    return ClaimedWebhook(
        key=key_of(row),
        worker=worker,
        name=row.name,
        url=row.url,
        secret=row.secret,
        kinds=tuple(row.kinds),
        position=row.position,
        is_test_asked=row.is_test_asked,
        enabled=row.enabled,
        failures=row.failures,
    )


def record_told(
    session: Session, claimed: ClaimedWebhook, position: int, told: int, lease_seconds: float
) -> None:
    """Record how far a webhook is and hold it for longer; what failed before is past.

    Parameters
    ----------
    told
        Messages it took since this was last recorded.

    Raises
    ------
    LeaseLost
        If another has it, or it was removed or disabled; nothing more may be sent then.
    """
    values: dict[str, Any] = {
        "position": position,
        "lease_until": database_seconds(session) + lease_seconds,
    }
    if told:
        values.update(_success(told))
    _settle(session, claimed, col(WebhookRow.enabled).is_(True), **values)


def record_test(session: Session, claimed: ClaimedWebhook) -> None:
    """Record that its test message was taken; LeaseLost as above."""
    _settle(session, claimed, is_test_asked=False, **_success(1))


def record_failure(
    session: Session, claimed: ClaimedWebhook, error: str, delay_seconds: float, at: datetime
) -> None:
    """Give it back, to be tried again after a delay; LeaseLost as above."""
    _settle(
        session,
        claimed,
        failures=WebhookRow.failures + 1,
        failing_since=func.coalesce(col(WebhookRow.failing_since), at),
        last_error=error,
        # A test answers once: it is not repeated until somebody asks again.
        is_test_asked=False,
        available_at=database_seconds(session) + delay_seconds,
        lease_until=0.0,
        leased_by="",
    )


def give_back(session: Session, claimed: ClaimedWebhook) -> None:
    """Let the next one have it; LeaseLost as above."""
    # Behind the others that are due: none waits for one that has much to be told.
    now = database_seconds(session)
    _settle(session, claimed, available_at=now, lease_until=0.0, leased_by="")


def _is_due(now: float) -> ColumnElement[bool]:
    last = select(ChangeCounterRow.last).scalar_subquery()
    has_news = and_(col(WebhookRow.enabled).is_(True), col(WebhookRow.position) < last)
    return and_(
        or_(has_news, col(WebhookRow.is_test_asked).is_(True)),
        col(WebhookRow.available_at) <= now,
        col(WebhookRow.lease_until) < now,
    )


def _success(told: int) -> dict[str, Any]:
    return {
        "delivered": WebhookRow.delivered + told,
        "last_delivered_at": utc_now(),
        "failures": 0,
        "failing_since": None,
        "last_error": "",
    }


def _settle(
    session: Session,
    claimed: ClaimedWebhook,
    *conditions: ColumnElement[bool],
    **values: Any,
) -> None:
    statement = update(WebhookRow).where(
        col(WebhookRow.id) == claimed.key,
        col(WebhookRow.leased_by) == claimed.worker,
        *conditions,
    )
    if session.execute(statement.values(**values)).rowcount != 1:  # type: ignore[attr-defined]
        raise LeaseLost
