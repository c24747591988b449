"""The loop that tells webhooks of changes: each in order, at least once, one worker at a time.

See docs/decisions/0022-webhooks.md.
"""

import os
import random
import socket
import ssl
import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from core.changes import changes_after
from core.clock import Clock, utc_now
from core.database import Database
from core.errors import InfrastructureError
from core.ledger import LeaseLost
from core.logs import get_logger
from core.settings import Settings
from core.tables.changes import ChangeRow
from core.webhook_queue import (
    ClaimedWebhook,
    claim_webhook,
    give_back,
    has_due_webhook,
    record_failure,
    record_test,
    record_told,
)
from core.webhooks import WebhookInvalid, is_told
from dicom_node.webhooks.message import message_of, trial_message
from dicom_node.webhooks.posting import NotTaken, Poster, trusted

#: How often the record is asked whether there is anything to tell.
LOOK_SECONDS: Final = 0.5
#: Longest time between two records of how far a webhook is: what is posted again after a crash.
SETTLE_SECONDS: Final = 0.5
#: Changes told before another webhook has its turn.
BATCH_SIZE: Final = 100
#: Pause after the first failure, which doubles with each further one, and the longest.
FIRST_PAUSE_SECONDS: Final = 2.0
LONGEST_PAUSE_SECONDS: Final = 300.0
_AWAY_SECONDS: Final = 5.0

_log = get_logger(__name__)


@dataclass
class WebhookTeller:
    """Tells one webhook after the other; several may run, in one process or in many.

    Attributes
    ----------
    jitter
        Draws the part of a pause that is really waited, 0 to 1: receivers that come back are not
        asked by all nodes at the same moment.
    """

    database: Database
    settings: Settings
    stopping: threading.Event
    clock: Clock = utc_now
    jitter: random.Random = field(default_factory=random.SystemRandom)

    def __post_init__(self) -> None:
        self.name = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._tls: ssl.SSLContext | None = None

    def run(self) -> None:
        """Tell until asked to stop."""
        while not self.stopping.is_set():
            try:
                worked = self.run_once()
            except InfrastructureError as error:
                _log.warning("infrastructure_away", error=str(error))
                self.stopping.wait(_AWAY_SECONDS)
                continue
            if not worked:
                self.stopping.wait(LOOK_SECONDS)

    def run_once(self) -> bool:
        """Tell the webhook that waits longest; return whether there was one."""
        claimed = self._claim()
        if claimed is None:
            return False
        try:
            self._tell(claimed)
        except LeaseLost:
            _log.info("webhook_left", webhook=claimed.name)
        return True

    def _claim(self) -> ClaimedWebhook | None:
        # Looking is free, claiming is a write transaction.
        with self.database.reading() as session:
            if not has_due_webhook(session):
                return None
        with self.database.transaction() as session:
            return claim_webhook(session, self.name, self.settings.lease_seconds)

    def _tell(self, claimed: ClaimedWebhook) -> None:
        try:
            with Poster(
                claimed.url, claimed.secret, self.settings, self._trusted(), self.clock
            ) as poster:
                if claimed.is_test_asked:
                    self._try(claimed, poster)
                if claimed.enabled:
                    self._tell_changes(claimed, poster)
        except (NotTaken, WebhookInvalid) as error:
            self._put_off(claimed, error)
            return
        with self.database.transaction() as session:
            give_back(session, claimed)

    def _trusted(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = trusted(self.settings)
        return self._tls

    def _try(self, claimed: ClaimedWebhook, poster: Poster) -> None:
        poster.post(trial_message(claimed.name, self.clock()))
        with self.database.transaction() as session:
            record_test(session, claimed)

    def _tell_changes(self, claimed: ClaimedWebhook, poster: Poster) -> None:
        with self.database.reading() as session:
            changes = changes_after(session, claimed.position, BATCH_SIZE)
        progress = _Progress(self.database, claimed, self.settings.lease_seconds)
        try:
            self._post(changes, claimed.kinds, poster, progress)
        finally:
            # What was taken is not told again, whatever comes after it.
            progress.record()

    def _post(
        self,
        changes: Sequence[ChangeRow],
        kinds: Sequence[str],
        poster: Poster,
        progress: "_Progress",
    ) -> None:
        for change in changes:
            if self.stopping.is_set():
                return
            told = is_told(kinds, change.kind)
            if told:
                poster.post(message_of(change))
            progress.advance(change.number, told)

    def _put_off(self, claimed: ClaimedWebhook, error: NotTaken | WebhookInvalid) -> None:
        with self.database.transaction() as session:
            record_failure(
                session, claimed, str(error), self._pause_seconds(claimed, error), self.clock()
            )
        _log.warning("webhook_not_told", webhook=claimed.name, cause=str(error))

    def _pause_seconds(self, claimed: ClaimedWebhook, error: NotTaken | WebhookInvalid) -> float:
        asked = error.pause_seconds if isinstance(error, NotTaken) else 0.0
        grown = FIRST_PAUSE_SECONDS * 2.0 ** min(claimed.failures, 20)
        return max(asked, min(grown, LONGEST_PAUSE_SECONDS) * self.jitter.uniform(0.5, 1.0))


@dataclass
class _Progress:
    """How far one webhook is, recorded now and then."""

    database: Database
    claimed: ClaimedWebhook
    lease_seconds: float

    def __post_init__(self) -> None:
        self._position, self._told = self.claimed.position, 0
        self._recorded, self._recorded_at = self._position, monotonic()

    def advance(self, number: int, told: bool) -> None:
        """Take note of a change that was told, or needed no telling."""
        self._position = number
        self._told += told
        if monotonic() - self._recorded_at > SETTLE_SECONDS:
            self.record()

    def record(self) -> None:
        """Record it, and hold the webhook for longer."""
        if self._position == self._recorded:
            return
        with self.database.transaction() as session:
            record_told(session, self.claimed, self._position, self._told, self.lease_seconds)
        self._recorded, self._recorded_at, self._told = self._position, monotonic(), 0
