"""Signing in and out of the pages."""

from typing import Annotated, Final

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.dashboard.templating import render
from api.dependencies import NodeParameter
from api.errors import LoginRefused
from api.logins import SESSION_LIFE, sign_in_with_key, sign_in_with_token, sign_out
from api.security import SESSION_COOKIE, note_session

ROUTER: Final = APIRouter(include_in_schema=False)

Secret = Annotated[str, Form(max_length=256)]


@ROUTER.get("/login")
def show_login(node: NodeParameter, token: Annotated[str, Query(max_length=256)] = "") -> Response:
    """Ask for a key; a one-time link needs only one press.

    The token is used up by that press and not by opening the link, because browsers and mail
    programs fetch links ahead of anyone reading them.
    """
    if node.settings.auth == "none":
        return RedirectResponse("/", 303)
    return _login_page(token)


@ROUTER.post("/login")
def sign_in(
    request: Request, node: NodeParameter, key: Secret = "", token: Secret = ""
) -> Response:
    """Take a key or a one-time token once, and go on with a session cookie."""
    try:
        with node.database.transaction() as session:
            secret = (
                sign_in_with_token(session, token)
                if token
                else sign_in_with_key(session, key.strip())
            )
            note_session(request, session, secret)
    except LoginRefused as refusal:
        return _login_page("", str(refusal), 401)
    response = RedirectResponse("/", 303)
    response.set_cookie(
        SESSION_COOKIE,
        secret,
        max_age=int(SESSION_LIFE.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response


@ROUTER.post("/logout")
def leave(request: Request, node: NodeParameter) -> Response:
    """End the browser's session."""
    secret = request.cookies.get(SESSION_COOKIE)
    if secret:
        with node.database.transaction() as session:
            note_session(request, session, secret)
            sign_out(session, secret)
    response = RedirectResponse("/login", 303)
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict")
    return response


def _login_page(token: str, refusal: str = "", status_code: int = 200) -> HTMLResponse:
    return render("login.html", status_code, token=token, refusal=refusal)
