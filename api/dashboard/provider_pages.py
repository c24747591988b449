"""Signing in by the OpenID provider: a browser is sent there, and comes back with a code."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.attempts import check_attempts, note_failure
from api.cookies import PROVIDER, delete_cookie, read_cookie, set_cookie
from api.dashboard.login_pages import end_former, keep_signed_in, login_page
from api.dashboard.navigation import first_page
from api.dependencies import Node, NodeParameter
from api.door import address_of, door_of
from api.errors import LoginRefused, LoginWithoutRole, ProviderAway, TokenRefused
from api.oidc.code_flow import LOGIN_LIFE, Returned, begin, finish, take_back
from api.oidc.provider import Provider
from api.sessions import Holder, open_session, session_life
from api.site import site_of
from core.clock import utc_now
from core.errors import NodeError, RecordNotFound
from core.logs import get_logger

#: What the provider must know as the address it may send people back to.
CALLBACK_PATH: Final = "/login/provider/callback"
ROUTER: Final = APIRouter(include_in_schema=False)

Word = Annotated[str, Query(max_length=4096)]
_STATUSES: Final[dict[type[NodeError], int]] = {LoginWithoutRole: 403, ProviderAway: 503}
_LOG = get_logger(__name__)


def _provider(request: Request) -> Provider:
    provider = door_of(request).provider
    if provider is None:
        raise RecordNotFound("There is no OpenID provider: auth is not oidc")
    return provider


ProviderParameter = Annotated[Provider, Depends(_provider)]


@ROUTER.get("/login/provider", dependencies=[Depends(check_attempts)])
def send_to_provider(
    request: Request, node: NodeParameter, provider: ProviderParameter
) -> Response:
    """Send a browser to the provider."""
    try:
        with node.database.transaction() as session:
            sent = begin(session, provider, site_of(request) + CALLBACK_PATH, utc_now())
    except ProviderAway as error:
        return login_page(node, refusal=error, status_code=503)
    response = RedirectResponse(sent.address, 303)
    set_cookie(request, response, PROVIDER, sent.browser, LOGIN_LIFE.total_seconds())
    return response


@ROUTER.get(CALLBACK_PATH, dependencies=[Depends(check_attempts)])
def take_from_provider(
    request: Request,
    node: NodeParameter,
    provider: ProviderParameter,
    state: Word = "",
    code: Word = "",
    iss: Word = "",
) -> Response:
    """Sign in whom the provider vouches for."""
    returned = Returned(code, state, iss, read_cookie(request, PROVIDER))
    try:
        response = _sign_in(request, node, provider, returned)
    except (LoginRefused, TokenRefused, LoginWithoutRole, ProviderAway) as refusal:
        response = _refuse(request, node, refusal)
    delete_cookie(request, response, PROVIDER)
    return response


def _sign_in(request: Request, node: Node, provider: Provider, returned: Returned) -> Response:
    now, life = utc_now(), session_life(node.settings)
    with node.database.transaction() as session:
        sent = take_back(session, returned, now)
    # The provider is asked outside of any transaction: it may take its time.
    person, refresh_token = finish(provider, returned, sent, site_of(request) + CALLBACK_PATH)
    holder = Holder(
        person.roles, name=person.name, subject=person.subject, refresh_token=refresh_token
    )
    with node.database.transaction() as session:
        end_former(request, session)
        secret = open_session(session, holder, life, now)
    _LOG.info("signed_in", subject=person.subject)
    response = RedirectResponse(first_page(person.roles), 303)
    keep_signed_in(request, response, secret, life)
    return response


def _refuse(request: Request, node: Node, refusal: NodeError) -> Response:
    _LOG.warning("provider_login_refused", cause=type(refusal).__name__)
    if isinstance(refusal, LoginRefused | TokenRefused):
        note_failure(node, address_of(request), "provider")
    return login_page(node, refusal=refusal, status_code=_STATUSES.get(type(refusal), 401))
