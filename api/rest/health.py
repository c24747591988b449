"""`/health`: for monitors; open, and silent about patients."""

from typing import Final
from uuid import uuid4

from fastapi import APIRouter
from sqlalchemy import text

from api.dependencies import Node, NodeParameter
from api.errors import NotReady
from api.schemas.operations import Health
from api.schemas.problem import problems
from core.errors import InfrastructureError
from core.migrations.schema import schema_is_current

ROUTER: Final = APIRouter(prefix="/health", tags=["health"])

_READY: Final = "ready"


@ROUTER.get("/live", summary="Whether the process lives")
def live() -> Health:
    """Answer, which is all it says: restart the process where this does not come."""
    return Health(status="live")


@ROUTER.get("/ready", summary="Whether requests can be answered", responses=problems())
def ready(node: NodeParameter) -> Health:
    """Ask the database for its schema and write to the storage; 503 names the part that fails."""
    checks = {"database": _database(node), "storage": _storage(node)}
    if any(answer != _READY for answer in checks.values()):
        raise NotReady(checks)
    return Health(status=_READY, checks=checks)


def _database(node: Node) -> str:
    try:
        with node.database.reading() as session:
            session.execute(text("SELECT 1"))
    except InfrastructureError as error:
        return str(error)
    current = schema_is_current(node.database)
    return _READY if current else "The schema is not this version's; run `arcuate migrate`"


def _storage(node: Node) -> str:
    key = f"health/{uuid4().hex}"
    try:
        node.storage.put(key, b"ready")
        node.storage.delete(key)
        node.storage.reach()
    except InfrastructureError as error:
        return str(error)
    return _READY
