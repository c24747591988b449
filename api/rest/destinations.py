"""`/v1/destinations` and `/v1/delivery-rules`: where results go, and which.

A destination is added at the terminal only: what could name any URL, folder and secret from afar
would make of this node a way into the network it stands in.
"""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, status

from api.cursors import encode_cursor, text_cursor
from api.dependencies import NodeParameter
from api.rest.pages import listing_of
from api.schemas.deliveries import (
    CountOut,
    DestinationOut,
    RuleIn,
    RuleOut,
    destination_out,
    rule_out,
)
from api.schemas.listing import Listing, PageQuery
from api.schemas.problem import problems
from core.deliveries.destinations import (
    disable_destination,
    enable_destination,
    find_destination,
)
from core.deliveries.overview import list_overviews
from core.deliveries.retrying import retry_destination
from core.deliveries.rules import RuleInvalid, add_rule, list_rules, remove_rule
from core.errors import RecordNotFound
from reports.report import ReportKind

ROUTER: Final = APIRouter(prefix="/v1", tags=["deliveries"])

_CHANGES: Final[dict[str, Any]] = {"responses": problems(404)}
Name = Annotated[str, Path(max_length=64)]


@ROUTER.get("/destinations", summary="Where results are sent", responses=problems(400))
def list_all(node: NodeParameter, query: Annotated[PageQuery, Query()]) -> Listing[DestinationOut]:
    """Return each destination, whether it answers, and what waits for it."""
    after = "" if query.cursor is None else text_cursor("destinations", query.cursor, 1)[0]
    with node.database.reading() as session:
        found = [o for o in list_overviews(session) if o.row.name > after]
    page = found[: query.limit]
    more = len(found) > query.limit
    following = encode_cursor("destinations", page[-1].row.name) if more else None
    return listing_of([destination_out(overview) for overview in page], following)


@ROUTER.post("/destinations/{name}/retry", summary="Send all of it once more", **_CHANGES)
def retry(node: NodeParameter, name: Name) -> CountOut:
    """Let everything that was given up or waits be due at once."""
    with node.database.transaction() as session:
        return CountOut(count=retry_destination(session, name))


@ROUTER.post("/destinations/{name}/enable", summary="Send there", **_CHANGES)
def enable(node: NodeParameter, name: Name) -> DestinationOut:
    """Send to a destination, and at once what waits for it."""
    with node.database.transaction() as session:
        enable_destination(session, name)
    return _find(node, name)


@ROUTER.post("/destinations/{name}/disable", summary="Send there no more for now", **_CHANGES)
def disable(node: NodeParameter, name: Name) -> DestinationOut:
    """Let what is for a destination wait."""
    with node.database.transaction() as session:
        disable_destination(session, name)
    return _find(node, name)


@ROUTER.get("/delivery-rules", summary="Which results go where", responses=problems())
def list_all_rules(node: NodeParameter) -> Listing[RuleOut]:
    """Return the rules; what is empty in one is true of every result."""
    with node.database.reading() as session:
        rules = list_rules(session)
    return listing_of([rule_out(rule, destination) for rule, destination in rules], None)


@ROUTER.post(
    "/delivery-rules",
    summary="Let results go to a destination",
    status_code=status.HTTP_201_CREATED,
    **_CHANGES,
)
def add(node: NodeParameter, rule: RuleIn) -> RuleOut:
    """Let results go to a destination from now on."""
    unknown = sorted(set(rule.report_kinds) - set(ReportKind))
    if unknown:
        raise RuleInvalid("report_kinds", f"There are only {', '.join(ReportKind)}")
    with node.database.transaction() as session:
        destination = find_destination(session, rule.destination)
        row = add_rule(
            session,
            destination,
            rule.statuses,
            rule.model,
            rule.laterality,
            rule.report_kinds,
        )
        return rule_out(row, destination)


@ROUTER.delete(
    "/delivery-rules/{rule_id}",
    summary="Let a rule hold no more",
    status_code=status.HTTP_204_NO_CONTENT,
    **_CHANGES,
)
def remove(node: NodeParameter, rule_id: Annotated[int, Path(ge=1, le=2**31 - 1)]) -> None:
    """Take a rule away; what it let go is still sent."""
    with node.database.transaction() as session:
        remove_rule(session, rule_id)


def _find(node: NodeParameter, name: str) -> DestinationOut:
    with node.database.reading() as session:
        for overview in list_overviews(session):
            if overview.row.name == name:
                return destination_out(overview)
    raise RecordNotFound
