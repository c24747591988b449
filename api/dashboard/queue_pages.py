"""The queue: what waits and why, what stopped, and trying it again."""

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlmodel import Session, col, select

from api.access import OPERATORS
from api.dashboard.templating import render
from api.dependencies import NodeParameter
from api.security import CallerParameter
from core.queue import (
    OPEN,
    QueuedJob,
    WaitReason,
    count_before,
    count_open,
    find_job,
    list_queue,
    retry_job,
)
from core.tables.jobs import JobKind, JobStatus
from core.tables.predictions import PredictionRow
from core.values.prediction import PredictionStatus

ROUTER: Final = APIRouter(include_in_schema=False)

#: The newest that a page shows; the REST list goes on.
_MOST_ROWS: Final = 200
_PATH: Final = "/jobs"
_WAITING: Final = (WaitReason.ITS_TURN, WaitReason.NOBODY_WORKS)
JobId = Annotated[int, Path(ge=1, lt=2**31)]


@ROUTER.get(_PATH)
def show_queue(
    node: NodeParameter,
    caller: CallerParameter,
    status: Annotated[JobStatus | None, Query()] = None,
    kind: Annotated[JobKind | None, Query()] = None,
) -> HTMLResponse:
    """Show what waits, runs and stopped, newest first, each with why."""
    statuses: Sequence[str] = OPEN if status is None else (status,)
    with node.database.reading() as session:
        counts = count_open(session)
        jobs = list_queue(session, _MOST_ROWS, statuses, kind)
    return render(
        "jobs.html",
        here=_PATH,
        caller=caller,
        may_operate=OPERATORS.allows(caller),
        counts=counts,
        jobs=jobs,
        status=status,
        kind=kind,
        most=_MOST_ROWS,
    )


@ROUTER.get(_PATH + "/{job_id}")
def show_job(node: NodeParameter, caller: CallerParameter, job_id: JobId) -> HTMLResponse:
    """Show one job with what it is about."""
    with node.database.reading() as session:
        job = find_job(session, job_id)
        before = count_before(session, job.row) if job.reason in _WAITING else None
        links = _links(session, job)
    return render(
        "job.html",
        here=_PATH,
        caller=caller,
        may_operate=OPERATORS.allows(caller),
        job=job,
        before=before,
        links=links,
    )


@ROUTER.post(_PATH + "/{job_id}/retry")
def retry(node: NodeParameter, job_id: JobId) -> RedirectResponse:
    """Try a job that stopped again, and show it."""
    with node.database.transaction() as session:
        retry_job(session, job_id)
    return RedirectResponse(f"{_PATH}/{job_id}", 303)


def _links(session: Session, job: QueuedJob) -> list[str]:
    """Return the paths of the pages of what a job is about."""
    subject = job.row.subject
    match job.row.kind:
        case JobKind.REPORT:
            return [f"/predictions/{subject}"] if session.get(PredictionRow, subject) else []
        case JobKind.ANALYSE | JobKind.RESCORE if subject.isdecimal():
            of_scan = col(PredictionRow.instance_key) == int(subject)
            stands = col(PredictionRow.status) != PredictionStatus.SUPERSEDED
            found = session.exec(select(PredictionRow.id).where(of_scan, stands)).all()
            return [f"/predictions/{name}" for name in found]
        case JobKind.DELIVER:
            return ["/deliveries"]
        case JobKind.ECHO:
            return ["/devices#peers"]
    return []
