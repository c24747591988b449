"""Holds each answer back until its audit entry is written; without one, nothing is served."""

from dataclasses import replace
from http import HTTPStatus
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.auditing.acts import Act
from api.auditing.repeats import Repeats
from api.problems import answer_node_error
from core.audit.recording import append_audit, note_audit
from core.audit.trail import Trail, followed
from core.database import Database
from core.errors import InfrastructureError
from core.logs import get_logger

_REFUSALS: Final = HTTPStatus.BAD_REQUEST

_log = get_logger(__name__)


class Audited:
    """Records what the application it wraps answers.

    Parameters
    ----------
    repeat_seconds
        How long one entry covers the same look of the same caller.
    """

    def __init__(self, app: ASGIApp, database: Database, repeat_seconds: float) -> None:
        self._app = app
        self._database = database
        self._repeats = Repeats(repeat_seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its answer once that is recorded."""
        if scope["type"] != "http" or Act(scope).is_open:
            await self._app(scope, receive, send)
            return
        act = Act(scope)
        with followed(Trail(act.event, is_change=act.is_change)) as trail:
            answer = _Answer(act, trail, self._database, self._repeats, send)
            is_answered = False
            try:
                await self._app(scope, receive, answer.send)
                is_answered = True
            finally:
                if not is_answered:
                    await answer.record_break()


class _Answer:
    """One answer on its way out."""

    def __init__(
        self, act: Act, trail: Trail, database: Database, repeats: Repeats, send: Send
    ) -> None:
        self._act, self._trail = act, trail
        self._database, self._repeats = database, repeats
        self._send = send
        self._is_begun = self._is_replaced = self._is_shown = False

    async def send(self, message: Message) -> None:
        """Send a part of the answer; the first one not before the entry is written."""
        if self._is_replaced:
            return
        try:
            await self._record(message)
        except InfrastructureError as error:
            _log.error("audit_not_written", route=self._act.route, error=str(error))
            if not _is_refusal(message):
                await self._refuse(error)
                return
        self._is_begun = True
        await self._send(message)

    async def record_break(self) -> None:
        """Record a request that broke before it was answered."""
        status = int(HTTPStatus.INTERNAL_SERVER_ERROR)
        if not self._is_begun and self._is_due(status):
            await run_in_threadpool(self._write, status)

    async def _record(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            status = int(message["status"])
            self._is_shown = status < _REFUSALS
            if self._is_due(status):
                await run_in_threadpool(self._write, status)
        elif self._is_shown and self._trail.unnamed_patients:
            # What is streamed may come to patients that the first entry could not know.
            await run_in_threadpool(self._write_more)

    def _is_due(self, status: int) -> bool:
        act, trail = self._act, self._trail
        if status == HTTPStatus.UNAUTHORIZED:
            return act.is_change or act.shows_credentials
        if act.is_change:
            return bool(act.route) and (status >= _REFUSALS or not trail.is_recorded)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            # Nothing was shown, and nothing refused.
            return False
        if status >= _REFUSALS:
            was_forbidden = status == HTTPStatus.FORBIDDEN
            return trail.actor is not None and (was_forbidden or act.concerns_patients)
        return bool(
            trail.patients
            or act.concerns_patients
            or act.is_about_the_trail
            or act.is_export
            or (trail.count is not None and act.lists_patients)
        )

    def _write(self, status: int) -> None:
        self._append(self._trail, status)

    def _write_more(self) -> None:
        # An entry names only so many: those of the entries before would leave no room.
        self._append(replace(self._trail, patients=self._trail.unnamed_patients), None)

    def _append(self, told: Trail, status: int | None) -> None:
        trail, act = self._trail, self._act
        described = replace(told, describe=lambda: act.event(status))
        with self._database.reading() as session:
            event = described.told(session)
        trail.named_patients.update(event.patients)
        if self._repeats.covers(event):
            return
        if act.is_change:
            # Not once more by this transaction itself.
            trail.is_recorded = True
            with self._database.transaction() as session:
                append_audit(session, event)
        else:
            note_audit(self._database, event)
        self._repeats.note(event)

    async def _refuse(self, error: InfrastructureError) -> None:
        """Answer that nothing can be served now."""
        self._is_replaced = True
        if self._is_begun:
            # Too late for a status: the answer ends where it is, and is seen to be cut.
            raise error
        response = answer_node_error(Request(self._act.scope), error)
        await response(self._act.scope, _nothing_more, self._send)


def _is_refusal(message: Message) -> bool:
    """Whether a part of an answer begins one that shows nothing."""
    return message["type"] == "http.response.start" and int(message["status"]) >= _REFUSALS


async def _nothing_more() -> Message:
    return {"type": "http.disconnect"}
