"""`/v1/jobs`, `/v1/quarantine`, `/v1/callers`: what an administrator looks at."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from sqlmodel import SQLModel, col, select

from api.dependencies import NodeParameter
from api.rest.keyed_lists import caller_page
from api.rest.pages import integer_page, listing_of
from api.schemas.listing import Listing, PageQuery
from api.schemas.operations import CallerOut, JobOut, QuarantineOut
from api.schemas.problem import problems
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.quarantine import QuarantineRow

ROUTER: Final = APIRouter(prefix="/v1", tags=["operations"])


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


@ROUTER.get("/quarantine", summary="Objects kept aside, newest first", responses=problems(400))
def list_quarantine(
    node: NodeParameter, query: Annotated[PageQuery, Query()]
) -> Listing[QuarantineOut]:
    """Return the objects that were not taken in or were replaced, each with its cause."""
    with node.database.reading() as session:
        rows, following = integer_page(
            session,
            select(QuarantineRow),
            col(QuarantineRow.id),
            query,
            "quarantine",
            _key_of,
            newest_first=True,
        )
    return listing_of([QuarantineOut.model_validate(row) for row in rows], following)


@ROUTER.get("/callers", summary="Callers that were refused", responses=problems(400))
def list_callers(node: NodeParameter, query: Annotated[PageQuery, Query()]) -> Listing[CallerOut]:
    """Return who tried to connect and was rejected, how often and why."""
    with node.database.reading() as session:
        rows, following = caller_page(session, query)
    return listing_of([CallerOut.model_validate(row) for row in rows], following)


def _key_of(row: SQLModel) -> int:
    assert isinstance(row, JobRow | QuarantineRow)  # noqa: S101 - the two tables paged here
    assert row.id is not None  # noqa: S101 - it was read from the table
    return row.id
