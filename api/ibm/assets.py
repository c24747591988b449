"""`/v2/assets`: the models as assets."""

from typing import Any, Final

from fastapi import APIRouter

from api.dependencies import NodeParameter
from api.ibm.deployed import find_asset
from api.ibm.identifiers import SOFTWARE_ID, SPACE_ID
from api.ibm.moments import moment
from api.ibm.spaces import check_space
from core.clock import utc_now

ROUTER: Final = APIRouter(prefix="/v2/assets", include_in_schema=False)

#: By how the weights are kept. A client takes any type with the letters `do` in it for a decision
#: optimisation, and then sends other jobs.
_TYPES: Final = {"onnx": "onnxruntime_1.16"}
_USUAL_TYPE: Final = "tensorflow_2.9"


@ROUTER.get("/{asset_id}")
def read_asset(node: NodeParameter, asset_id: str, space_id: str = "") -> dict[str, Any]:
    """Return a model as an asset."""
    check_space(space_id)
    with node.database.reading() as session:
        model = find_asset(session, asset_id)
    kind = _TYPES.get(str((model.card or {}).get("format")), _USUAL_TYPE)
    return {
        "href": f"/v2/assets/{asset_id}",
        "metadata": {
            "asset_id": asset_id,
            "name": f"{model.identity.name} {model.identity.version}",
            "asset_type": "wml_model",
            "space_id": SPACE_ID,
            "created_at": moment(model.since or utc_now()),
            "usage": {},
        },
        "entity": {"wml_model": {"type": kind, "software_spec": {"id": SOFTWARE_ID}}},
    }
