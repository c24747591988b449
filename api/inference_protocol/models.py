"""`/v2/models`: what each model reads and gives."""

from typing import Final

from fastapi import APIRouter

from api.dependencies import Node, NodeParameter
from api.inference_protocol.answers import ProtocolRoute, faults
from api.inference_protocol.ports import FLOAT, askable_models, find_ports
from api.inference_protocol.schemas import ModelMetadataOut, ModelReadyOut, ModelsOut, TensorOut

PATH: Final = "/v2/models"
ROUTER: Final = APIRouter(prefix=PATH, tags=["inference protocol"], route_class=ProtocolRoute)

_OF_VERSION: Final = "/{name}/versions/{version}"


@ROUTER.get("", summary="Models that tensors are scored with", responses=faults())
def models(node: NodeParameter) -> ModelsOut:
    """Return the names of the models that can be asked."""
    return ModelsOut(
        models=sorted({model.identity.name for model in askable_models(node.database)})
    )


@ROUTER.get("/{name}", summary="What a model reads and gives", responses=faults(404))
def metadata(node: NodeParameter, name: str) -> ModelMetadataOut:
    """Return the tensors of the version that the name alone means: the active one, if one is."""
    return _metadata(node, name, None)


@ROUTER.get(_OF_VERSION, summary="What a version reads and gives", responses=faults(404))
def version_metadata(node: NodeParameter, name: str, version: str) -> ModelMetadataOut:
    """Return the tensors of one version of a model."""
    return _metadata(node, name, version)


@ROUTER.get("/{name}/ready", summary="Whether a model can be asked", responses=faults(404))
def ready(node: NodeParameter, name: str) -> ModelReadyOut:
    """Return whether a process that scores has made the model known, and it is not out of use."""
    return _ready(node, name, None)


@ROUTER.get(f"{_OF_VERSION}/ready", summary="Whether a version can be asked", responses=faults(404))
def version_ready(node: NodeParameter, name: str, version: str) -> ModelReadyOut:
    """Return the same of one version."""
    return _ready(node, name, version)


def _metadata(node: Node, name: str, version: str | None) -> ModelMetadataOut:
    ports = find_ports(node.database, name, version)
    card = ports.model.card or {}
    return ModelMetadataOut(
        name=ports.model.identity.name,
        versions=[ports.model.identity.version] if version else _versions(node, name),
        platform=ports.platform,
        inputs=_tensors(ports.inputs),
        outputs=_tensors(ports.outputs),
        parameters={
            "digest": ports.model.identity.digest,
            "unit": "dB",
            "estimated": True,
            "notice": card.get("notice", ""),
        },
    )


def _versions(node: Node, name: str) -> list[str]:
    known = (model.identity for model in askable_models(node.database))
    return [identity.version for identity in known if identity.name == name]


def _ready(node: Node, name: str, version: str | None) -> ModelReadyOut:
    return ModelReadyOut(
        name=find_ports(node.database, name, version).model.identity.name, ready=True
    )


def _tensors(shapes: dict[str, tuple[int, ...]]) -> list[TensorOut]:
    return [
        TensorOut(name=name, datatype=FLOAT, shape=[-1, *shape]) for name, shape in shapes.items()
    ]
