"""Signing in and out of the pages."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from api.attempts import check_attempts, note_failure
from api.cookies import SESSION, delete_cookie, read_cookie, set_cookie
from api.dashboard.navigation import first_page
from api.dashboard.templating import render
from api.dependencies import Node, NodeParameter
from api.door import address_of
from api.errors import LoginRefused
from api.form_tokens import check_own_page
from api.logins import (
    FIRST_NAME,
    SignedIn,
    makes_administrator,
    sign_in_with_key,
    sign_in_with_token,
)
from api.sessions import SessionLife, session_life, sign_out, sign_out_everywhere
from core.errors import NodeError
from core.keys import KeyNameTaken

ROUTER: Final = APIRouter(include_in_schema=False)

Secret = Annotated[str, Form(max_length=256)]
Name = Annotated[str, Form(max_length=64)]


@ROUTER.get("/login")
def show_login(node: NodeParameter, token: Annotated[str, Query(max_length=256)] = "") -> Response:
    """Ask for a key; a one-time link needs only one press.

    The token is used up by that press and not by opening the link, because browsers and mail
    programs fetch links ahead of anyone reading them.
    """
    if node.settings.auth == "none":
        return RedirectResponse("/", 303)
    return login_page(node, token)


@ROUTER.post("/login", dependencies=[Depends(check_own_page), Depends(check_attempts)])
def sign_in(
    request: Request,
    node: NodeParameter,
    key: Secret = "",
    token: Secret = "",
    name: Name = FIRST_NAME,
) -> Response:
    """Take a key or a one-time token once, and go on with a session cookie."""
    life = session_life(node.settings)
    try:
        with node.database.transaction() as session:
            end_former(request, session)
            signed_in = (
                sign_in_with_token(session, token, life, name.strip() or FIRST_NAME)
                if token
                else sign_in_with_key(session, key.strip(), life)
            )
    except LoginRefused as refusal:
        note_failure(node, address_of(request), "login")
        return login_page(node, "", refusal, 401)
    except KeyNameTaken as refusal:
        return login_page(node, token, refusal, 409)
    return _go_on(request, signed_in, life)


@ROUTER.post("/logout", dependencies=[Depends(check_own_page)])
def leave(request: Request, node: NodeParameter) -> Response:
    """End the browser's session."""
    with node.database.transaction() as session:
        sign_out(session, read_cookie(request, SESSION))
    return signed_out(request)


@ROUTER.post("/logout/everywhere", dependencies=[Depends(check_own_page)])
def leave_everywhere(request: Request, node: NodeParameter) -> Response:
    """End every session of whoever this browser's is."""
    with node.database.transaction() as session:
        sign_out_everywhere(session, read_cookie(request, SESSION))
    return signed_out(request)


def end_former(request: Request, session: Session) -> None:
    """End what session the browser had: a new one begins, with another secret."""
    former = read_cookie(request, SESSION)
    if former:
        sign_out(session, former)


def keep_signed_in(request: Request, response: Response, secret: str, life: SessionLife) -> None:
    """Have the browser keep the secret of its new session."""
    set_cookie(request, response, SESSION, secret, life.whole.total_seconds())


def signed_out(request: Request) -> Response:
    """Return to the page for signing in, without a session."""
    response = RedirectResponse("/login", 303)
    delete_cookie(request, response, SESSION)
    return response


def login_page(
    node: Node, token: str = "", refusal: NodeError | None = None, status_code: int = 200
) -> Response:
    """Return the page for signing in, with why it did not succeed."""
    with node.database.reading() as session:
        is_first = bool(token) and makes_administrator(session, token)
    return render(
        "login.html",
        status_code,
        token=token,
        is_first=is_first,
        first_name=FIRST_NAME,
        has_provider=node.settings.auth == "oidc",
        hours=node.settings.session_hours,
        refusal=str(refusal) if refusal else "",
    )


def _go_on(request: Request, signed_in: SignedIn, life: SessionLife) -> Response:
    response: Response = RedirectResponse(first_page(signed_in.roles), 303)
    if signed_in.key:
        response = render("first_key.html", key=signed_in.key)
    keep_signed_in(request, response, signed_in.secret, life)
    return response
