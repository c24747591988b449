"""`/v1/webhooks`: who is told of changes. What is sent is sent by `deliver`."""

from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from api.dependencies import Node, NodeParameter
from api.schemas.problem import problems
from api.schemas.webhooks import (
    CreatedWebhookOut,
    WebhookChangeIn,
    WebhookIn,
    WebhookOut,
    WebhooksOut,
    created_json,
    webhook_json,
)
from core.clock import utc_now
from core.webhooks import (
    add_webhook,
    ask_for_test,
    enable_webhook,
    find_webhook,
    remove_webhook,
    state_of,
    webhook_states,
)

ROUTER: Final = APIRouter(prefix="/v1/webhooks", tags=["operations"])


@ROUTER.get("", summary="Webhooks", responses=problems(403))
def list_webhooks(node: NodeParameter) -> WebhooksOut:
    """Return every webhook, with how far it is and what last went wrong."""
    with node.database.reading() as session:
        return WebhooksOut(items=[webhook_json(state) for state in webhook_states(session)])


@ROUTER.post("", summary="Subscribe", status_code=201, responses=problems(403, 409))
def create_webhook(node: NodeParameter, wanted: WebhookIn) -> CreatedWebhookOut:
    """Have changes posted to an address; the answer holds the secret that signs them, once."""
    allows_http = node.settings.webhook_allow_http
    with node.database.transaction() as session:
        row = add_webhook(session, wanted.subscription(), allows_http, utc_now())
        return created_json(state_of(session, row))


@ROUTER.get("/{name}", summary="One webhook", responses=problems(403, 404))
def read_webhook(node: NodeParameter, name: str) -> WebhookOut:
    """Return one webhook with how far it is."""
    return _read(node, name)


@ROUTER.patch("/{name}", summary="Enable or disable", responses=problems(403, 404))
def change_webhook(node: NodeParameter, name: str, change: WebhookChangeIn) -> WebhookOut:
    """Stop telling it, or go on; enabled again, it is told what happened meanwhile."""
    with node.database.transaction() as session:
        enable_webhook(session, name, enabled=change.enabled)
    return _read(node, name)


@ROUTER.post("/{name}/test", summary="Send a test", status_code=202, responses=problems(403, 404))
def try_webhook(node: NodeParameter, name: str) -> WebhookOut:
    """Have one test message sent at once; how it went is in `last_error` and `delivered`."""
    with node.database.transaction() as session:
        ask_for_test(session, name)
    return _read(node, name)


@ROUTER.delete(
    "/{name}",
    summary="Unsubscribe",
    status_code=204,
    response_class=Response,
    responses=problems(403, 404),
)
def delete_webhook(node: NodeParameter, name: str) -> None:
    """Forget a webhook."""
    with node.database.transaction() as session:
        remove_webhook(session, name)


def _read(node: Node, name: str) -> WebhookOut:
    with node.database.reading() as session:
        return webhook_json(state_of(session, find_webhook(session, name)))
