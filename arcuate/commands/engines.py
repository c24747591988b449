"""What the commands that score in bulk ask for in common: who computes."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from arcuate.ray_session import RayOptions


class Engine(StrEnum):
    """What computes."""

    LOCAL = "local"
    RAY = "ray"


Processes = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="Of the local engine: processes that read and measure scans; by default as many as "
        "there are processors. 0: none beside the command's own.",
    ),
]
RayAddress = Annotated[
    str | None,
    typer.Option(help="Of --engine ray: a cluster's address; else a Ray is started here."),
]
Actors = Annotated[
    int, typer.Option(min=1, help="Of --engine ray: processes that hold the network and predict.")
]
Gpus = Annotated[
    float, typer.Option(min=0, help="Of --engine ray: GPUs of each actor, or a share of one.")
]


def ray_options(address: str | None, actors: int, gpus: float) -> "RayOptions":
    """Return how to use Ray."""
    from arcuate.ray_session import RayOptions

    return RayOptions(address, actors, gpus)
