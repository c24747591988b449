"""`/v1/jobs`: the work that waits, runs or stopped."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from sqlmodel import col, select

from api.dependencies import NodeParameter
from api.rest.pages import integer_page, listing_of
from api.schemas.listing import Listing, PageQuery
from api.schemas.operations import JobOut
from api.schemas.problem import problems
from core.queue import find_job, retry_job
from core.tables.columns import key_of
from core.tables.jobs import JobKind, JobRow, JobStatus

ROUTER: Final = APIRouter(prefix="/v1", tags=["operations"])

JobId = Annotated[int, Path(ge=1, lt=2**31)]


class JobQuery(PageQuery):
    """Which jobs."""

    status: JobStatus | None = None
    kind: JobKind | None = None


@ROUTER.get("/jobs", summary="Jobs, newest first", responses=problems(400))
def list_jobs(node: NodeParameter, query: Annotated[JobQuery, Query()]) -> Listing[JobOut]:
    """Return the work that waits, runs or stopped; `error` says why an attempt failed."""
    statement = select(JobRow)
    if query.status is not None:
        statement = statement.where(col(JobRow.status) == query.status)
    if query.kind is not None:
        statement = statement.where(col(JobRow.kind) == query.kind)
    with node.database.reading() as session:
        rows, following = integer_page(
            session, statement, col(JobRow.id), query, "jobs", _key_of, newest_first=True
        )
    return listing_of([JobOut.model_validate(row) for row in rows], following)


@ROUTER.get("/jobs/{job_id}", summary="One job", responses=problems(404))
def read_job(node: NodeParameter, job_id: JobId) -> JobOut:
    """Return one job."""
    with node.database.reading() as session:
        return JobOut.model_validate(find_job(session, job_id).row)


@ROUTER.post(
    "/jobs/{job_id}/retry",
    summary="Try a failed job again",
    responses=problems(403, 404, 409),
)
def retry(node: NodeParameter, job_id: JobId) -> JobOut:
    """Give a failed job fresh attempts."""
    with node.database.transaction() as session:
        return JobOut.model_validate(retry_job(session, job_id))


def _key_of(row: JobRow) -> int:
    return key_of(row)
