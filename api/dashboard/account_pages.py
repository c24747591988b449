"""What somebody sees of their own signing in: who they are here, and in which browsers."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api.cookies import SESSION, read_cookie
from api.dashboard.templating import render
from api.dependencies import NodeParameter
from api.security import CallerParameter
from api.sessions import session_life, sessions_beside
from core.keys import digest, role_names

ROUTER: Final = APIRouter(include_in_schema=False)


@ROUTER.get("/account")
def show_account(request: Request, node: NodeParameter, caller: CallerParameter) -> HTMLResponse:
    """Show name, roles and open sessions of who asks."""
    secret = read_cookie(request, SESSION) if caller.has_session else ""
    with node.database.reading() as session:
        sessions = sessions_beside(session, secret, session_life(node.settings))
    return render(
        "account.html",
        here="/account",
        caller=caller,
        roles=role_names(caller.roles),
        sessions=sessions,
        this=digest(secret),
    )
