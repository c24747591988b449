"""`/v1/peers`, `/v1/callers`: who may call, who was refused, and whether a peer answers."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, status
from fastapi.responses import Response

from api.dependencies import NodeParameter
from api.rest.keyed_lists import caller_page, peer_page
from api.rest.pages import listing_of
from api.schemas.listing import Listing, PageQuery
from api.schemas.operations import CallerOut
from api.schemas.peers import CallerIn, EchoOut, PeerIn
from api.schemas.problem import problems
from api.schemas.sightings import PeerOut, peer_of
from api.security import CallerParameter
from core.clock import utc_now
from core.peer_echoes import ask_echo, echoes_of
from core.peer_sightings import with_sightings
from dicom_node.allowing import allow_caller
from dicom_node.peers import ExpectedRhythm, add_peer, remove_peer

ROUTER: Final = APIRouter(prefix="/v1", tags=["operations"])


@ROUTER.get("/peers", summary="Application entities that may call", responses=problems(400))
def list_peers(node: NodeParameter, query: Annotated[PageQuery, Query()]) -> Listing[PeerOut]:
    """Return the allow-list in the order of AE titles, with what was seen of each."""
    with node.database.reading() as session:
        rows, following = peer_page(session, query)
        peers = with_sightings(session, rows, utc_now())
        echoes = echoes_of(session, [row.ae_title for row in rows])
    items = [peer_of(peer, echoes.get(peer.row.ae_title)) for peer in peers]
    return listing_of(items, following)


@ROUTER.post(
    "/peers",
    summary="Let an application entity call",
    status_code=status.HTTP_201_CREATED,
    responses=problems(403),
)
def add(node: NodeParameter, peer: PeerIn) -> PeerOut:
    """Add a peer, or change what is known of it; its certificate is bound at the terminal."""
    rhythm = ExpectedRhythm(peer.expect_every, peer.expect_days) if peer.expect_every else None
    with node.database.transaction() as session:
        row = add_peer(
            session,
            peer.ae_title,
            peer.host,
            peer.port,
            peer.description,
            tls=peer.tls,
            rhythm=rhythm,
        )
        [known] = with_sightings(session, [row], utc_now())
        echo = echoes_of(session, [row.ae_title]).get(row.ae_title)
    return peer_of(known, echo)


@ROUTER.post(
    "/peers/{ae_title:path}/echo",
    summary="Ask a peer whether it answers",
    status_code=status.HTTP_202_ACCEPTED,
    responses=problems(403, 404),
)
def ask(node: NodeParameter, caller: CallerParameter, ae_title: str) -> EchoOut:
    """Have the process that delivers send a C-ECHO; `echo` of the peer tells what came of it."""
    with node.database.transaction() as session:
        row = ask_echo(session, ae_title, caller.name, utc_now())
        return EchoOut.model_validate(row, from_attributes=True)


@ROUTER.delete(
    "/peers/{ae_title:path}",
    summary="Let an application entity call no more",
    status_code=status.HTTP_204_NO_CONTENT,
    response_class=Response,
    responses=problems(403, 404),
)
def remove(node: NodeParameter, ae_title: str) -> None:
    """Refuse a peer from its next association on; destinations that call it fail from now on."""
    with node.database.transaction() as session:
        remove_peer(session, ae_title)


@ROUTER.get("/callers", summary="Callers that were refused", responses=problems(400))
def list_callers(node: NodeParameter, query: Annotated[PageQuery, Query()]) -> Listing[CallerOut]:
    """Return who tried to connect and was rejected, how often and why."""
    with node.database.reading() as session:
        rows, following = caller_page(session, query)
    return listing_of([CallerOut.model_validate(row) for row in rows], following)


@ROUTER.post(
    "/callers/allow",
    summary="Let a refused caller in",
    status_code=status.HTTP_201_CREATED,
    responses=problems(403, 404, 409),
)
def allow(node: NodeParameter, caller: CallerIn) -> PeerOut:
    """Make a caller that was refused a peer at the address it called from."""
    with node.database.transaction() as session:
        row = allow_caller(session, caller.calling_ae_title, caller.address, moved=caller.moved)
        [known] = with_sightings(session, [row], utc_now())
    return peer_of(known)
