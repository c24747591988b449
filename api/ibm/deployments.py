"""`/ml/v4/deployments`: what may be asked. A model is deployed by activating it, not here."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from api.dependencies import Node, NodeParameter
from api.errors import NotMadeHere, ServingNameTaken
from api.ibm.deployed import Deployed, deployed, find_deployed
from api.ibm.identifiers import SPACE_ID, Mode
from api.ibm.json_body import member, read_object
from api.ibm.listing import ListQuery, page_of
from api.ibm.moments import moment
from api.ibm.spaces import check_space
from api.ibm.warnings import WARNINGS
from api.site import site_of
from core.errors import RecordNotFound

ROUTER: Final = APIRouter(prefix="/ml/v4/deployments", include_in_schema=False)


class DeploymentQuery(ListQuery):
    """Which deployments."""

    serving_name: str = ""
    asset_id: str = ""
    name: str = ""
    #: Only asks whether somebody has the name.
    conflict: bool = False


@ROUTER.get("")
def list_deployments(
    request: Request, node: NodeParameter, query: Annotated[DeploymentQuery, Query()]
) -> Any:
    """Return the deployments, or whether a serving name is taken."""
    check_space(query.space_id)
    with node.database.reading() as session:
        found = [one for one in deployed(session, node.settings) if _is_meant(one, query)]
    if query.conflict:
        if found:
            raise ServingNameTaken
        return Response(status_code=204)
    return page_of(request, query, [_told(request, one) for one in found])


@ROUTER.get("/{deployment_id}")
def read_deployment(
    request: Request, node: NodeParameter, deployment_id: str, space_id: str = ""
) -> dict[str, Any]:
    """Return one deployment."""
    check_space(space_id)
    with node.database.reading() as session:
        return _told(request, find_deployed(session, node.settings, deployment_id))


@ROUTER.post("")
async def create_deployment(request: Request, node: NodeParameter) -> Response:
    """Answer the deployment of a model that there is already, so that code which makes one goes on.

    Raises
    ------
    RecordNotFound
        If the asset is no active model.
    """
    body = await read_object(request)
    mode = Mode.BATCH if "batch" in body else Mode.ONLINE
    found = await run_in_threadpool(_deployment_of, node, member(body, "asset", "id"), mode)
    return JSONResponse(_told(request, found), 202)


@ROUTER.delete("/{deployment_id}")
@ROUTER.patch("/{deployment_id}")
async def refuse_change(deployment_id: str) -> None:
    """Refuse: what is deployed follows from which models are active."""
    raise NotMadeHere


def _deployment_of(node: Node, asset_id: str, mode: Mode) -> Deployed:
    with node.database.reading() as session:
        for found in deployed(session, node.settings):
            if found.asset_id == asset_id and found.mode is mode:
                return found
    raise RecordNotFound("There is no such asset that is active; `arcuate models activate` one")


def _is_meant(found: Deployed, query: DeploymentQuery) -> bool:
    if query.serving_name and (found.mode, found.serving_name) != (Mode.ONLINE, query.serving_name):
        return False
    return query.asset_id in {"", found.asset_id} and query.name in {"", found.name}


def _told(request: Request, found: Deployed) -> dict[str, Any]:
    hardware = {"id": "Not_Applicable", "name": "XXS", "num_nodes": 1}
    entity: dict[str, Any] = {
        "asset": {"id": found.asset_id},
        "custom": {},
        "deployed_asset_type": "model",
        "hardware_spec": hardware,
        "name": found.name,
        "space_id": SPACE_ID,
        "status": {"state": "ready"},
        found.mode.value: {},
    }
    if found.mode is Mode.ONLINE:
        entity["online"] = {"parameters": {"serving_name": found.serving_name}}
        entity["status"] |= _addresses(site_of(request), found)
    return {
        "entity": entity,
        "metadata": {
            "id": found.id,
            "guid": found.id,
            "href": f"/ml/v4/deployments/{found.id}",
            "name": found.name,
            "owner": "arcuate",
            "space_id": SPACE_ID,
            "created_at": moment(found.since),
            "modified_at": moment(found.since),
        },
        "system": {"warnings": WARNINGS},
    }


def _addresses(site: str, found: Deployed) -> dict[str, Any]:
    by_id = f"{site}/ml/v4/deployments/{found.id}/predictions"
    by_name = f"{site}/ml/v4/deployments/{found.serving_name}/predictions"
    return {
        "online_url": {"url": by_id},
        "serving_urls": [by_name],
        "inference": [{"url": by_id}, {"url": by_name, "uses_serving_name": True}],
    }
