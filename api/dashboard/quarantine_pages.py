"""Quarantine: objects that were kept aside, to look at and to be done with."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlmodel import col, select

from api.access import OPERATORS
from api.dashboard.templating import render
from api.dependencies import NodeParameter
from api.security import CallerParameter
from core.clock import utc_now
from core.quarantine import dismiss_aside
from core.tables.quarantine import QuarantineRow

ROUTER: Final = APIRouter(include_in_schema=False)

#: The newest that a page shows; the REST list goes on.
_MOST_ROWS: Final = 200
_PATH: Final = "/quarantine"


@ROUTER.get(_PATH)
def show_quarantine(
    node: NodeParameter, caller: CallerParameter, dismissed: Annotated[bool, Query()] = False
) -> HTMLResponse:
    """Show the objects that need somebody, or those that are dealt with, newest first."""
    dismissed_at = col(QuarantineRow.dismissed_at)
    wanted = dismissed_at.is_not(None) if dismissed else dismissed_at.is_(None)
    statement = select(QuarantineRow).where(wanted).order_by(col(QuarantineRow.id).desc())
    with node.database.reading() as session:
        rows = session.exec(statement.limit(_MOST_ROWS)).all()
    return render(
        "quarantine.html",
        here=_PATH,
        caller=caller,
        may_operate=OPERATORS.allows(caller),
        rows=rows,
        dismissed=dismissed,
    )


@ROUTER.post(_PATH + "/{quarantine_id}/dismiss")
def dismiss(
    node: NodeParameter,
    caller: CallerParameter,
    quarantine_id: Annotated[int, Path(ge=1, lt=2**31)],
) -> RedirectResponse:
    """Record that an object is dealt with, and show the others."""
    with node.database.transaction() as session:
        dismiss_aside(session, quarantine_id, caller.name, utc_now())
    return RedirectResponse(_PATH, 303)
