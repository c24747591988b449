"""Where results are sent: destinations, rules, and every delivery that has not arrived."""

from typing import Annotated, Final

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse, RedirectResponse

from api.dashboard.templating import render
from api.dependencies import NodeParameter
from api.security import CallerParameter
from core.deliveries.destinations import disable_destination, enable_destination
from core.deliveries.listing import Wanted, list_newest
from core.deliveries.overview import list_overviews
from core.deliveries.retrying import dismiss_delivery, retry_delivery, retry_destination
from core.deliveries.rules import list_rules

ROUTER: Final = APIRouter(include_in_schema=False)

#: The newest that a page shows; the REST lists go on.
_MOST_ROWS: Final = 200
_MOST_SETTLED: Final = 50
_PATH: Final = "/deliveries"
DeliveryId = Annotated[int, Path(ge=1, le=2**31 - 1)]


@ROUTER.get(_PATH)
def show_deliveries(node: NodeParameter, caller: CallerParameter) -> HTMLResponse:
    """Show every destination with its rules, what has not arrived, and what lately did."""
    with node.database.reading() as session:
        rules = list_rules(session)
        destinations = list_overviews(session)
        still_open = list_newest(session, Wanted(is_open=True), _MOST_ROWS)
        settled = list_newest(session, Wanted(is_open=False), _MOST_SETTLED)
    return render(
        "deliveries.html",
        here=_PATH,
        caller=caller,
        destinations=destinations,
        rules=[(rule, destination.name) for rule, destination in rules],
        still_open=still_open,
        settled=settled,
    )


@ROUTER.post(_PATH + "/{delivery_id}/retry")
def retry(node: NodeParameter, delivery_id: DeliveryId) -> RedirectResponse:
    """Send a delivery once more."""
    with node.database.transaction() as session:
        retry_delivery(session, delivery_id)
    return _back()


@ROUTER.post(_PATH + "/{delivery_id}/dismiss")
def dismiss(node: NodeParameter, delivery_id: DeliveryId) -> RedirectResponse:
    """Let a delivery that was given up be."""
    with node.database.transaction() as session:
        dismiss_delivery(session, delivery_id)
    return _back()


@ROUTER.post("/destinations/{name}/retry")
def retry_all(node: NodeParameter, name: str) -> RedirectResponse:
    """Send everything to a destination once more."""
    with node.database.transaction() as session:
        retry_destination(session, name)
    return _back()


@ROUTER.post("/destinations/{name}/enable")
def enable(node: NodeParameter, name: str) -> RedirectResponse:
    """Send to a destination."""
    with node.database.transaction() as session:
        enable_destination(session, name)
    return _back()


@ROUTER.post("/destinations/{name}/disable")
def disable(node: NodeParameter, name: str) -> RedirectResponse:
    """Send to a destination no more for now."""
    with node.database.transaction() as session:
        disable_destination(session, name)
    return _back()


def _back() -> RedirectResponse:
    return RedirectResponse(_PATH, 303)
