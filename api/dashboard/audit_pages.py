"""The audit trail for people."""

from datetime import date, datetime, time
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from api.cursors import encode_cursor, integer_cursor
from api.dashboard.templating import render
from api.dashboard.translation import to_translate
from api.dependencies import NodeParameter
from api.security import CallerParameter
from core.audit.chain import last_entry
from core.audit.search import AuditFilter, newest_entries
from core.values.audit import AuditAction, AuditOutcome

ROUTER: Final = APIRouter(include_in_schema=False)

_PAGE_LENGTH: Final = 100
_LISTING: Final = "audit-page"

ACTION_NAMES: Final = {
    AuditAction.READ: to_translate("Read"),
    AuditAction.SEARCH: to_translate("Searched"),
    AuditAction.EXPORT: to_translate("Exported"),
    AuditAction.CREATE: to_translate("Created"),
    AuditAction.CHANGE: to_translate("Changed"),
    AuditAction.DELETE: to_translate("Deleted"),
    AuditAction.LOGIN: to_translate("Logged in"),
    AuditAction.LOGIN_FAILED: to_translate("Failed to sign in"),
    AuditAction.LOGOUT: to_translate("Signed out"),
    AuditAction.RETRIEVE: to_translate("Retrieved"),
    AuditAction.STORE: to_translate("Stored"),
    AuditAction.DELIVER: to_translate("Delivered"),
    AuditAction.START: to_translate("Started"),
    AuditAction.STOP: to_translate("Stopped"),
    AuditAction.AUDIT: to_translate("Looked at this trail"),
    AuditAction.PURGE: to_translate("Removed old entries"),
}
OUTCOME_NAMES: Final = {
    AuditOutcome.SUCCESS: to_translate("Success"),
    AuditOutcome.REFUSED: to_translate("Refused"),
    AuditOutcome.FAILED: to_translate("Failed"),
}


class AuditForm(BaseModel):
    """The filters as the form sends them: what is left empty narrows nothing."""

    model_config = ConfigDict(extra="ignore")

    patient: Annotated[str, Field(pattern=r"^\d{0,9}$")] = ""
    actor: Annotated[str, Field(max_length=256)] = ""
    action: AuditAction | Annotated[str, Field(pattern="^$")] = ""
    since: date | Annotated[str, Field(pattern="^$")] = ""
    until: date | Annotated[str, Field(pattern="^$")] = ""
    cursor: Annotated[str, Field(max_length=512)] = ""

    def filter(self) -> AuditFilter:
        """Return what to look for; days are days of this node's time zone, the last one whole."""
        return AuditFilter(
            patient_key=int(self.patient) if self.patient else None,
            actor=self.actor.strip() or None,
            action=self.action if isinstance(self.action, AuditAction) else None,
            since=_moment(self.since, time.min),
            until=_moment(self.until, time.max),
        )

    def address(self, **changes: str) -> str:
        """Return the address of the page with these filters, and others in their place."""
        values = {**self.model_dump(mode="json"), "cursor": "", **changes}
        given = {name: value for name, value in values.items() if value}
        return f"/audit?{urlencode(given)}" if given else "/audit"


@ROUTER.get("/audit")
def show_audit(
    node: NodeParameter, caller: CallerParameter, form: Annotated[AuditForm, Query()]
) -> HTMLResponse:
    """Show who saw or changed what, newest first."""
    before = integer_cursor(_LISTING, form.cursor) if form.cursor else None
    with node.database.reading() as session:
        rows = newest_entries(session, form.filter(), _PAGE_LENGTH + 1, before)
        number, digest, _ = last_entry(session)
    shown = rows[:_PAGE_LENGTH]
    has_more = len(rows) > len(shown)
    following = form.address(cursor=encode_cursor(_LISTING, shown[-1].number)) if has_more else ""
    return render(
        "audit.html",
        here="/audit",
        caller=caller,
        rows=shown,
        form=form,
        following=following,
        actions=ACTION_NAMES,
        outcomes=OUTCOME_NAMES,
        number=number,
        digest=digest,
    )


def _moment(day: date | str, at: time) -> datetime | None:
    return datetime.combine(day, at).astimezone() if isinstance(day, date) else None
