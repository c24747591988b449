"""How the clients sign in: an API key becomes a token.

The key is what they call `apikey` or `password`; the user's name is not looked at, a key has one.
"""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Form, Header, Request
from starlette.concurrency import run_in_threadpool

from api.attempts import check_attempts, note_failure
from api.dependencies import Node, NodeParameter
from api.door import address_of
from api.errors import LoginRefused
from api.ibm.json_body import member, read_object
from api.ibm.tokens import Issued, issue_token, key_with_token, token_of_nobody
from api.security import check_host
from core.audit.trail import note_actor
from core.keys import find_key
from core.tables.keys import KeyRow

ROUTER: Final = APIRouter(include_in_schema=False, dependencies=[Depends(check_attempts)])

_ALLOWED: Final = {"_messageCode_": "200", "message": "Success"}


@ROUTER.post("/icp4d-api/v1/authorize")
async def authorize(request: Request, node: NodeParameter) -> dict[str, Any]:
    """Return a token for a key.

    Raises
    ------
    LoginRefused
        If the key is unknown, revoked or too old.
    """
    body = await read_object(request)
    secret = member(body, "api_key") or member(body, "password")
    issued = await run_in_threadpool(_issue, request, node, secret, member(body, "username"))
    return {**_ALLOWED, "token": issued.token, "accessToken": issued.token}


@ROUTER.post("/idprovider/v1/auth/identitytoken")
def identity_token(
    request: Request,
    node: NodeParameter,
    username: Annotated[str, Form(max_length=256)] = "",
    password: Annotated[str, Form(max_length=256)] = "",
) -> dict[str, Any]:
    """Return a token for a key, as the clients ask where they are given `bedrock_url`."""
    issued = _issue(request, node, password, username)
    return {"access_token": issued.token, "expires_in": issued.seconds, "token_type": "Bearer"}


@ROUTER.get("/v1/preauth/validateAuth")
def validate(
    node: NodeParameter,
    token: Annotated[str, Header(alias="iam-token")] = "",
    username: Annotated[str, Header()] = "",
) -> dict[str, Any]:
    """Return the same token again, if it is ours: the other half of that way in."""
    if node.settings.auth != "none":
        with node.database.reading() as session:
            key_with_token(session, token)
    return {**_ALLOWED, "username": username, "accessToken": token}


def _issue(request: Request, node: Node, secret: str, username: str) -> Issued:
    if node.settings.auth == "none":
        check_host(request)
        note_actor(username, "", address_of(request))
        return token_of_nobody(username)
    key = _key_of(request, node, secret)
    note_actor(key.name, " ".join(key.roles), address_of(request))
    with node.database.transaction() as session:
        return issue_token(session, key)


def _key_of(request: Request, node: Node, secret: str) -> KeyRow:
    with node.database.reading() as session:
        key = find_key(session, secret)
    if key is None:
        note_failure(node, address_of(request), "login")
        raise LoginRefused
    return key
