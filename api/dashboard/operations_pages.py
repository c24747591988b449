"""What an administrator looks at: objects kept aside, callers that were refused, failed jobs."""

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from sqlmodel import col, select

from api.dashboard.templating import render
from api.dependencies import NodeParameter
from api.security import CallerParameter
from core.tables.jobs import JobRow, JobStatus
from core.tables.peers import RefusedCallerRow
from core.tables.quarantine import QuarantineRow
from core.webhooks import webhook_states

ROUTER: Final = APIRouter(include_in_schema=False)

#: The newest that a page shows; the REST lists go on.
_MOST_ROWS: Final = 200


@ROUTER.get("/quarantine")
def show_quarantine(node: NodeParameter, caller: CallerParameter) -> HTMLResponse:
    """Show the objects that could not be taken in, newest first."""
    statement = select(QuarantineRow).order_by(col(QuarantineRow.id).desc()).limit(_MOST_ROWS)
    with node.database.reading() as session:
        rows = session.exec(statement).all()
    return render("quarantine.html", here="/quarantine", caller=caller, rows=rows)


@ROUTER.get("/callers")
def show_callers(node: NodeParameter, caller: CallerParameter) -> HTMLResponse:
    """Show who tried to connect and was refused, latest first."""
    latest = col(RefusedCallerRow.last_seen_at).desc()
    with node.database.reading() as session:
        rows = session.exec(select(RefusedCallerRow).order_by(latest).limit(_MOST_ROWS)).all()
    return render("callers.html", here="/callers", caller=caller, rows=rows)


@ROUTER.get("/webhooks")
def show_webhooks(node: NodeParameter, caller: CallerParameter) -> HTMLResponse:
    """Show who is told of changes; not where, for an address may hold a secret."""
    with node.database.reading() as session:
        states = webhook_states(session)
    return render("webhooks.html", here="/webhooks", caller=caller, states=states)


@ROUTER.get("/jobs")
def show_failed_jobs(node: NodeParameter, caller: CallerParameter) -> HTMLResponse:
    """Show the jobs that stopped, newest first, each with its cause."""
    statement = select(JobRow).where(col(JobRow.status) == JobStatus.FAILED)
    with node.database.reading() as session:
        rows = session.exec(statement.order_by(col(JobRow.id).desc()).limit(_MOST_ROWS)).all()
    return render("jobs.html", here="/jobs", caller=caller, rows=rows)
