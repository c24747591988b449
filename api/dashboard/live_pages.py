"""Scans as they come: the page, and the part of it that is asked for again and again."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse
from sqlmodel import Session

from api.dashboard.live_devices import device_choices
from api.dashboard.live_filter import LiveFilter, LiveForm, Shown, shown_choices
from api.dashboard.live_patients import MeantPatients, find_meant
from api.dashboard.live_results import results_page
from api.dashboard.live_waiting import count_failed, count_waiting, waiting_scans
from api.dashboard.templating import render
from api.dependencies import Node, NodeParameter
from api.security import CallerParameter
from core.audit.trail import note_count, note_patients
from core.clock import utc_now
from core.peer_sightings import silent_peers
from core.reviews import last_reviews, open_requests

ROUTER: Final = APIRouter(include_in_schema=False)

_PATH: Final = "/"
#: What these states of a scan show can have no answer yet, or must have one.
_WITHOUT_ANSWER: Final = (None, Shown.WAITING)


@ROUTER.get(_PATH)
def show_live(
    node: NodeParameter, caller: CallerParameter, wanted: Annotated[LiveFilter, Query()]
) -> HTMLResponse:
    """Show the newest scans, eye by eye."""
    return _page(node, caller, wanted)


@ROUTER.post(_PATH)
def find_live(
    node: NodeParameter, caller: CallerParameter, wanted: Annotated[LiveForm, Form()]
) -> HTMLResponse:
    """Show the scans a form asks for: a name does not get into an address."""
    return _page(node, caller, wanted)


@ROUTER.post("/live")
def show_live_rows(node: NodeParameter, wanted: Annotated[LiveForm, Form()]) -> HTMLResponse:
    """Show the list alone; the browser's address follows what may stand in it."""
    # Without it the browser would go on from where it was when it asked first.
    newest = wanted.model_copy(update={"cursor": None})
    answer = render("live_rows.html", **_list(node, newest))
    answer.headers["HX-Replace-Url"] = newest.address()
    return answer


def _page(node: Node, caller: CallerParameter, wanted: LiveFilter) -> HTMLResponse:
    with node.database.reading() as session:
        devices = device_choices(session)
    return render(
        "live.html",
        here=_PATH,
        caller=caller,
        states=shown_choices(),
        devices=devices,
        **_list(node, wanted),
    )


def _list(node: Node, wanted: LiveFilter) -> dict[str, Any]:
    with node.database.reading() as session:
        meant = find_meant(session, wanted.wanted_text) if wanted.wanted_text else None
        rows, following = _rows(session, wanted, meant)
        note_count(len(rows))
        note_patients(row.patient_key for row in rows)
        ids = [row.prediction_id for row in rows if row.prediction_id is not None]
        return {
            "wanted": wanted,
            "rows": rows,
            "next": following,
            "too_many": meant is not None and meant.are_more,
            "reviews": last_reviews(session, ids),
            "asked": open_requests(session, ids),
            "waiting": count_waiting(session),
            "failed_jobs": count_failed(session),
            "silent": [peer.row.ae_title for peer in silent_peers(session, utc_now())],
            "ae_title": node.settings.ae_title,
        }


def _rows(
    session: Session, wanted: LiveFilter, meant: MeantPatients | None
) -> tuple[list[Any], str | None]:
    keys = None if meant is None else meant.keys
    rows = []
    if wanted.cursor is None and wanted.state in _WITHOUT_ANSWER:
        rows = waiting_scans(session, wanted, keys)
    if wanted.state is Shown.WAITING:
        return rows, None
    results, following = results_page(session, wanted, keys)
    return rows + results, following
