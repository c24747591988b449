"""`arcuate pool`: a standing pool of workers on Ray."""

import typer

from arcuate.commands.context import settings_of
from arcuate.commands.engines import Actors, Gpus, RayAddress, ray_options
from arcuate.commands.roles import Supervised


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(pool)


def pool(
    context: typer.Context,
    ray_address: RayAddress = None,
    actors: Actors = 1,
    gpus_per_actor: Gpus = 0.0,
    supervised: Supervised = False,
) -> None:
    """Score on Ray what was received and what is to be scored again, until stopped."""
    from arcuate.node import open_node
    from arcuate.ray_workers import RayActorLost, working_on_ray
    from arcuate.role_logs import configure_role_logs
    from arcuate.roles import Role, stop_when_asked

    settings = settings_of(context)
    configure_role_logs(settings, Role.INFER)
    # What is missing of a node is told here, not by processes elsewhere.
    open_node(settings)
    stopping = stop_when_asked(supervised)
    options = ray_options(ray_address, actors, gpus_per_actor)
    with working_on_ray(settings, options, scores_arrivals=True, ended=stopping) as lost:
        typer.echo("Scoring on Ray. Ctrl-C ends it.", err=True)
        stopping.wait()
    # Whoever watches over the process starts it, and its actors, anew.
    if lost.is_set():
        raise RayActorLost
