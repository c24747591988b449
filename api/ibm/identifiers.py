"""Identifiers of 36 characters, as the clients ask for: the same on every node and after a restart.

Each is made from what it names, so that nothing of it is kept.
"""

from enum import StrEnum
from typing import Final
from uuid import UUID, uuid5

from core.values.prediction import ModelIdentity

_NAMESPACE: Final = UUID("5d0f2a9c-0c5b-4d0e-9a37-6a4f3b1f7c52")


class Mode(StrEnum):
    """How a deployment is asked."""

    #: It answers at once.
    ONLINE = "online"
    #: It takes jobs.
    BATCH = "batch"


def deployment_id(model: ModelIdentity, mode: Mode) -> str:
    """Return the id of the deployment of a model, pinned to its weights."""
    return _id(f"deployment:{mode}", model.digest)


def asset_id(model: ModelIdentity) -> str:
    """Return the id of a model as an asset."""
    return _id("asset", model.digest)


def hardware_id(name: str) -> str:
    """Return the id of a hardware specification."""
    return _id("hardware", name)


def _id(kind: str, name: str) -> str:
    return str(uuid5(_NAMESPACE, f"{kind}:{name}"))


#: The one space there is: a node is one clinic's.
SPACE_ID: Final = _id("space", "node")
#: What models of the asset's type run on.
SOFTWARE_ID: Final = _id("software", "arcuate")
