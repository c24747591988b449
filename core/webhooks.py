"""The record of webhooks: who subscribed to what, and how far behind each is."""

import base64
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from core.changes import changes_after, last_change
from core.errors import NodeError, RecordNotFound
from core.settings import is_loopback
from core.tables.changes import ChangeKind
from core.tables.webhooks import WebhookRow

#: How a secret begins, and how many random bytes follow: https://www.standardwebhooks.com
SIGNING_PREFIX: Final = "whsec_"
_SECRET_BYTES: Final = 32
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LONGEST_URL: Final = 2000
#: Changes looked at for the oldest one that waits.
_LOOK_AHEAD: Final = 1000


class WebhookInvalid(NodeError):
    """A webhook needs a name, an https address and kinds of change that there are.

    `parameter` is what cannot be used.
    """

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(f"{parameter} {message}")
        self.parameter = parameter


class WebhookNameTaken(NodeError):
    """There is a webhook of that name already."""


@dataclass(frozen=True)
class Subscription:
    """What somebody wants to be told, and where.

    Attributes
    ----------
    kinds
        Kinds of change; empty: all.
    after
        The change after which telling begins; None: with what happens next.
    """

    name: str
    url: str
    kinds: Sequence[str] = ()
    after: int | None = None


@dataclass(frozen=True)
class WebhookState:
    """A webhook and how far it is.

    Attributes
    ----------
    behind
        Changes that were not looked at for it yet.
    waiting_since
        When the oldest change happened that waits to be told, None where none does.
    """

    row: WebhookRow
    behind: int
    waiting_since: datetime | None


def add_webhook(
    session: Session, wanted: Subscription, allows_http: bool, created_at: datetime
) -> WebhookRow:
    """Record a webhook in the caller's transaction; its `secret` is shown now and never again.

    Raises
    ------
    WebhookInvalid
        If the name, the address or a kind cannot be used.
    WebhookNameTaken
        If there is one of that name.
    """
    _check(wanted, allows_http)
    last = last_change(session)
    if wanted.after is not None and wanted.after > last:
        raise WebhookInvalid("after", f"is beyond the newest change, {last}")
    if session.exec(_named(wanted.name)).first() is not None:
        raise WebhookNameTaken
    random = base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
    row = WebhookRow(
        name=wanted.name,
        url=wanted.url,
        kinds=sorted(set(wanted.kinds)),
        secret=SIGNING_PREFIX + random,
        position=last if wanted.after is None else wanted.after,
        created_at=created_at,
    )
    session.add(row)
    session.flush()
    return row


def find_webhook(session: Session, name: str, is_locked: bool = False) -> WebhookRow:
    """Return a webhook.

    Raises
    ------
    RecordNotFound
        If there is none of that name.
    """
    statement = _named(name)
    row = session.exec(statement.with_for_update() if is_locked else statement).first()
    if row is None:
        raise RecordNotFound("There is no webhook of that name; `arcuate webhooks list` shows them")
    return row


def enable_webhook(session: Session, name: str, *, enabled: bool) -> WebhookRow:
    """Go on telling it, or stop; enabled again, it is told what happened meanwhile, at once."""
    row = find_webhook(session, name, is_locked=True)
    row.enabled, row.available_at = enabled, 0.0
    # Whoever was telling it when it was disabled has lost it.
    row.leased_by, row.lease_until = "", 0.0
    return row


def ask_for_test(session: Session, name: str) -> WebhookRow:
    """Have it sent one test message, at once."""
    row = find_webhook(session, name, is_locked=True)
    row.is_test_asked, row.available_at = True, 0.0
    return row


def remove_webhook(session: Session, name: str) -> None:
    """Forget a webhook; whoever is telling it stops."""
    session.delete(find_webhook(session, name, is_locked=True))


def webhook_states(session: Session) -> list[WebhookState]:
    """Return every webhook by its name, with how far it is."""
    rows = session.exec(select(WebhookRow).order_by(col(WebhookRow.name))).all()
    return [state_of(session, row) for row in rows]


def state_of(session: Session, row: WebhookRow) -> WebhookState:
    """Return how far a webhook is."""
    changes = changes_after(session, row.position, _LOOK_AHEAD)
    waiting = (change.happened_at for change in changes if is_told(row.kinds, change.kind))
    return WebhookState(row, last_change(session) - row.position, next(waiting, None))


def is_told(kinds: Sequence[str], kind: str) -> bool:
    """Whether a change of a kind is told to who asked for these kinds."""
    return not kinds or kind in kinds


def check_address(url: str, allows_http: bool) -> None:
    """Refuse an address that would carry messages in the clear, or a secret of its own in view.

    Raises
    ------
    WebhookInvalid
        If it is refused.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise WebhookInvalid("url", "is no address") from error
    if not host or not url.isascii() or not url.isprintable() or len(url) > _LONGEST_URL:
        raise WebhookInvalid("url", "must be an address of at most 2000 ASCII characters")
    if parts.username is not None or parts.fragment:
        raise WebhookInvalid("url", "may have neither a password nor a fragment")
    if parts.scheme == "https":
        return
    if parts.scheme != "http" or not (allows_http or is_loopback(host)):
        raise WebhookInvalid(
            "url",
            "must begin with https://; ARCUATE_WEBHOOK_ALLOW_HTTP allows http:// to other "
            "machines, too",
        )


def _named(name: str) -> SelectOfScalar[WebhookRow]:
    return select(WebhookRow).where(col(WebhookRow.name) == name)


def _check(wanted: Subscription, allows_http: bool) -> None:
    if not _NAME.fullmatch(wanted.name):
        raise WebhookInvalid("name", "must be 1 to 64 letters, digits, dots, dashes or underscores")
    unknown = sorted(set(wanted.kinds) - set(ChangeKind))
    if unknown:
        raise WebhookInvalid("kinds", f"holds one that there is not: {unknown[0][:40]!r}")
    check_address(wanted.url, allows_http)
