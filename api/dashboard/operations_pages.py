"""Who is told of changes: the page of webhooks."""

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from api.dashboard.templating import render
from api.dependencies import NodeParameter
from api.security import CallerParameter
from core.webhooks import webhook_states

ROUTER: Final = APIRouter(include_in_schema=False)


@ROUTER.get("/webhooks")
def show_webhooks(node: NodeParameter, caller: CallerParameter) -> HTMLResponse:
    """Show who is told of changes; not where, for an address may hold a secret."""
    with node.database.reading() as session:
        states = webhook_states(session)
    return render("webhooks.html", here="/webhooks", caller=caller, states=states)
