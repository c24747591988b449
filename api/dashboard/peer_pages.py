"""What people do with peers and refused callers; an AE title comes in a form, never in a path."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlmodel import Session, col, select

from api.access import OPERATORS
from api.dashboard.peer_view import read_peers
from api.dashboard.templating import render
from api.dependencies import NodeParameter
from api.security import CallerParameter
from core.clock import utc_now
from core.peer_echoes import ask_echo
from core.tables.peers import PeerRow, RefusedCallerRow
from dicom_node.allowing import allow_caller
from dicom_node.callers import Refusal
from dicom_node.peers import ExpectedRhythm, add_peer, calls_from_its_host, remove_peer

ROUTER: Final = APIRouter(include_in_schema=False)

#: The latest that a page shows; the REST list goes on.
_MOST_ROWS: Final = 200
_PEERS: Final = "/devices#peers"
_CALLERS: Final = "/callers"

AETitle = Annotated[str, Form(max_length=64)]
Line = Annotated[str, Form(max_length=200)]


@dataclass(frozen=True)
class CallerView:
    """A refused caller, and what letting it in would mean.

    Attributes
    ----------
    known_host
        Where a peer of its AE title calls from; None where there is none.
    is_allowed
        Whether it may call by now.
    can_be_allowed
        Whether it was refused because it is not known, and not for another reason.
    """

    row: RefusedCallerRow
    known_host: str | None
    is_allowed: bool
    can_be_allowed: bool


@ROUTER.get("/devices/peers")
def show_peers(node: NodeParameter, caller: CallerParameter) -> HTMLResponse:
    """Show the list of peers alone, for a page that waits for an answer."""
    with node.database.reading() as session:
        peers = read_peers(session, utc_now())
    return render("peers.html", caller=caller, peers=peers, may_operate=OPERATORS.allows(caller))


@ROUTER.post("/peers")
def add(
    node: NodeParameter,
    ae_title: AETitle,
    host: Line,
    port: Annotated[int | None, Form()] = None,
    description: Line = "",
    expect_every: Line = "",
    expect_days: Line = "",
) -> RedirectResponse:
    """Let an application entity call."""
    rhythm = ExpectedRhythm(expect_every.strip(), expect_days) if expect_every.strip() else None
    with node.database.transaction() as session:
        add_peer(session, ae_title.strip(), host.strip(), port, description.strip(), rhythm=rhythm)
    return RedirectResponse(_PEERS, 303)


@ROUTER.post("/peers/remove")
def remove(node: NodeParameter, ae_title: AETitle) -> RedirectResponse:
    """Let an application entity call no more."""
    with node.database.transaction() as session:
        remove_peer(session, ae_title)
    return RedirectResponse(_PEERS, 303)


@ROUTER.post("/peers/echo")
def ask(node: NodeParameter, caller: CallerParameter, ae_title: AETitle) -> RedirectResponse:
    """Have a peer asked whether it answers."""
    with node.database.transaction() as session:
        ask_echo(session, ae_title, caller.name, utc_now())
    return RedirectResponse(_PEERS, 303)


@ROUTER.get(_CALLERS)
def show_callers(node: NodeParameter, caller: CallerParameter) -> HTMLResponse:
    """Show who tried to connect and was refused, latest first."""
    latest = col(RefusedCallerRow.last_seen_at).desc()
    with node.database.reading() as session:
        rows = session.exec(select(RefusedCallerRow).order_by(latest).limit(_MOST_ROWS)).all()
        views = [_view(session, row, node.settings.allow_unknown_peers) for row in rows]
    return render(
        "callers.html",
        here=_CALLERS,
        caller=caller,
        may_operate=OPERATORS.allows(caller),
        rows=views,
    )


@ROUTER.post("/callers/allow")
def allow(
    node: NodeParameter,
    calling_ae_title: AETitle,
    address: Line,
    moved: Annotated[bool, Form()] = False,
) -> RedirectResponse:
    """Let a refused caller in from where it called."""
    with node.database.transaction() as session:
        allow_caller(session, calling_ae_title, address, moved=moved)
    return RedirectResponse(_CALLERS, 303)


def _view(session: Session, row: RefusedCallerRow, is_open: bool) -> CallerView:
    peer = session.get(PeerRow, row.calling_ae_title)
    is_unknown = row.reason == Refusal.CALLING_AE_TITLE_NOT_RECOGNISED
    is_known = peer is not None and calls_from_its_host(peer, row.address)
    return CallerView(
        row,
        known_host=None if peer is None else peer.host,
        is_allowed=is_unknown and (is_known or is_open),
        can_be_allowed=is_unknown,
    )
