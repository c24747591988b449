"""`/v2` and `/v2/health`: the server itself; health is open, as `/health` is."""

import importlib.metadata
from typing import Final

from fastapi import APIRouter

from api.dependencies import NodeParameter
from api.inference_protocol.answers import ProtocolRoute, faults
from api.inference_protocol.schemas import LiveOut, ReadyOut, ServerOut
from api.rest import health

HEALTH: Final = APIRouter(
    prefix="/v2/health", tags=["inference protocol"], route_class=ProtocolRoute
)
ROUTER: Final = APIRouter(prefix="/v2", tags=["inference protocol"], route_class=ProtocolRoute)


@HEALTH.get("/live", summary="Whether the process lives")
def live() -> LiveOut:
    """Answer, which is all it says."""
    return LiveOut(live=True)


@HEALTH.get("/ready", summary="Whether requests can be answered", responses=faults())
def ready(node: NodeParameter) -> ReadyOut:
    """Ask database and storage as `/health/ready` does; 503 names the part that fails."""
    health.ready(node)
    return ReadyOut(ready=True)


@ROUTER.get("", summary="This server", responses=faults())
def server() -> ServerOut:
    """Return its name, and which extensions of the protocol it speaks."""
    return ServerOut(
        name="arcuate",
        version=importlib.metadata.version("arcuate"),
        extensions=["binary_tensor_data"],
    )
