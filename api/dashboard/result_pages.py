"""The newest results."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from sqlalchemy import func
from sqlmodel import Session, col, select

from api.dashboard.templating import render
from api.dependencies import NodeParameter
from api.rest.prediction_search import PredictionQuery, page_of_records
from api.security import CallerParameter
from core.clock import utc_now
from core.peer_sightings import silent_peers
from core.predictions import prediction_of
from core.reviews import last_reviews, open_requests
from core.tables.instances import InstanceOutcome, InstanceRow
from core.tables.jobs import JobRow, JobStatus
from core.tables.predictions import PredictionRow
from core.values.prediction import PredictionStatus

ROUTER: Final = APIRouter(include_in_schema=False)

_PAGE_LENGTH: Final = 50

Cursor = Annotated[str | None, Query(max_length=512)]


@ROUTER.get("/")
def list_results(
    node: NodeParameter, caller: CallerParameter, cursor: Cursor = None
) -> HTMLResponse:
    """Show the newest results, eye by eye."""
    query = PredictionQuery(limit=_PAGE_LENGTH, cursor=cursor)
    is_current = col(PredictionRow.status) != PredictionStatus.SUPERSEDED
    with node.database.reading() as session:
        records, following = page_of_records(session, query, is_current)
        ids = [record[0].id for record in records]
        reviews, asked = last_reviews(session, ids), open_requests(session, ids)
        waiting, failed = _waiting(session), _failed_jobs(session)
        silent = [peer.row.ae_title for peer in silent_peers(session, utc_now())]
    return render(
        "results.html",
        here="/",
        caller=caller,
        reviews=reviews,
        asked=asked,
        predictions=[prediction_of(record) for record in records],
        next=following,
        is_first_page=cursor is None,
        waiting=waiting,
        failed_jobs=failed,
        silent=silent,
        ae_title=node.settings.ae_title,
    )


def _waiting(session: Session) -> int:
    statement = select(func.count()).select_from(InstanceRow)
    return session.exec(statement.where(col(InstanceRow.outcome) == InstanceOutcome.PENDING)).one()


def _failed_jobs(session: Session) -> int:
    statement = select(func.count()).select_from(JobRow)
    return session.exec(statement.where(col(JobRow.status) == JobStatus.FAILED)).one()
