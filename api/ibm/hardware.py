"""`/v2/hardware_specifications`: what a job may run on."""

from typing import Any, Final

from fastapi import APIRouter

from api.ibm.hardware_specs import SPECS, HardwareSpec, spec_named, spec_with_id

ROUTER: Final = APIRouter(prefix="/v2/hardware_specifications", include_in_schema=False)

#: They came with this API.
_CREATED_AT: Final = "2026-01-01T00:00:00.000Z"


@ROUTER.get("")
async def list_specs(name: str = "") -> dict[str, Any]:
    """Return the specifications, or the one of a name."""
    found = [spec_named(name)] if name else SPECS
    return {"total_results": len(found), "resources": [_told(spec) for spec in found]}


@ROUTER.get("/{spec_id}")
async def read_spec(spec_id: str) -> dict[str, Any]:
    """Return one specification."""
    return _told(spec_with_id(spec_id))


def _told(spec: HardwareSpec) -> dict[str, Any]:
    nodes: dict[str, Any] = {"cpu": {"units": spec.units}, "mem": {"size": spec.memory}}
    if spec.gpus:
        nodes["gpu"] = {"num_gpu": spec.gpus}
    return {
        "metadata": {
            "name": spec.name,
            "asset_id": spec.id,
            "href": f"/v2/hardware_specifications/{spec.id}",
            "asset_type": "hardware_specification",
            "created_at": _CREATED_AT,
            "description": _description(spec),
        },
        "entity": {"hardware_specification": {"nodes": nodes}},
    }


def _description(spec: HardwareSpec) -> str:
    return "A process that scores on a GPU" if spec.gpus else "Any process that scores"
