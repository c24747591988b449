"""`/v2/spaces`: the one space of the node, in which everything is deployed."""

from typing import Any, Final

from fastapi import APIRouter

from api.dependencies import Node, NodeParameter
from api.ibm.identifiers import SPACE_ID
from api.ibm.moments import moment
from core.clock import utc_now
from core.errors import RecordNotFound
from core.models import list_models

ROUTER: Final = APIRouter(prefix="/v2/spaces", include_in_schema=False)


@ROUTER.get("")
def list_spaces(node: NodeParameter) -> dict[str, Any]:
    """Return the space."""
    return {"resources": [_space(node)]}


@ROUTER.get("/{space_id}")
def read_space(node: NodeParameter, space_id: str) -> dict[str, Any]:
    """Return the space by its id."""
    check_space(space_id)
    return _space(node)


def check_space(space_id: str) -> None:
    """Refuse another space than the one there is; none is taken for it.

    Raises
    ------
    RecordNotFound
        If it is another one.
    """
    if space_id not in {"", SPACE_ID}:
        raise RecordNotFound(f"There is no such space; this node has one, {SPACE_ID}")


def _space(node: Node) -> dict[str, Any]:
    with node.database.reading() as session:
        since = [model.since for model in list_models(session) if model.since is not None]
    return {
        "metadata": {
            "id": SPACE_ID,
            "url": f"/v2/spaces/{SPACE_ID}",
            "created_at": moment(min(since, default=utc_now())),
        },
        "entity": {"name": node.settings.ae_title.lower(), "status": {"state": "active"}},
    }
