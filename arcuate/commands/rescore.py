"""`arcuate rescore`: score again what the archive holds."""

from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

import typer

from arcuate.commands.context import print_json, settings_of
from arcuate.commands.engines import (
    Actors,
    Engine,
    Gpus,
    Processes,
    RayAddress,
    ray_options,
)
from arcuate.commands.models import AsJson
from arcuate.commands.progress import progress

if TYPE_CHECKING:
    from arcuate.node import Node
    from arcuate.ray_session import RayOptions
    from core.rescorings import RescoringModel
    from dicom_node.storage.rescoring import ArchivePart


#: What shells tell of a command that Ctrl-C ended.
_INTERRUPTED: Final = 130


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(rescore)


def rescore(
    context: typer.Context,
    study: Annotated[str | None, typer.Option(help="Of this Study Instance UID.")] = None,
    patient: Annotated[str | None, typer.Option(help="Of this Patient ID.")] = None,
    issuer: Annotated[
        str | None, typer.Option(help="Of the Patient ID, where several use it.")
    ] = None,
    since: Annotated[
        datetime | None, typer.Option(help="Received at this time or later, local time.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Of the whole archive.")] = False,
    model: Annotated[
        str | None, typer.Option(help="NAME[:VERSION]; by default the active one for OCT scans.")
    ] = None,
    shadow: Annotated[
        bool,
        typer.Option("--shadow", help="Only compare with the results that stand; report none."),
    ] = False,
    engine: Annotated[
        Engine | None,
        typer.Option(help="Work here, too; else the processes of the node that score do it."),
    ] = None,
    processes: Processes = None,
    ray_address: RayAddress = None,
    actors: Actors = 2,
    gpus_per_actor: Gpus = 0.0,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Follow it until nothing waits.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Score kept scans again, behind whatever comes in; called again it goes on.

    Ctrl-C ends the command; what waits stays and is scored by the node.
    """
    from arcuate.node import open_node
    from arcuate.rescoring import find_rescoring_model
    from dicom_node.storage.rescoring import ArchivePart

    part = ArchivePart(study, patient, issuer, None if since is None else since.astimezone())
    if (part == ArchivePart()) is not everything:
        raise typer.BadParameter("name --study, --patient or --since, or else --all")
    node = open_node(settings_of(context))
    chosen = find_rescoring_model(node, model, shadow)
    added, waiting = _order(node, chosen, part)
    options = ray_options(ray_address, actors, gpus_per_actor)
    at_work = _at_work(node, engine, processes, options) if wait and waiting else None
    failed = 0 if at_work is None else _finish(node, chosen, waiting, at_work, engine is None)
    if as_json:
        identity = chosen.identity
        names = {"name": identity.name, "version": identity.version, "digest": identity.digest}
        print_json({"model": names, "shadow": shadow, "jobs": added, "failed": failed})
    raise typer.Exit(1 if failed else 0)


def _order(node: "Node", model: "RescoringModel", part: "ArchivePart") -> tuple[int, int]:
    """Add the jobs and tell of them; return how many were added, and how many wait."""
    from core.rescorings import count_rescoring
    from dicom_node.storage.rescoring import rescore as enqueue

    with node.database.transaction() as session:
        added = enqueue(session, model, part).jobs
        waiting = count_rescoring(session, model).waiting
    identity, former = model.identity, waiting - added
    waited = f", {former} waited already" if former else ""
    typer.echo(f"{identity.name} {identity.version}: {added} scans added{waited}.", err=True)
    return added, waiting


def _finish(
    node: "Node",
    model: "RescoringModel",
    waiting: int,
    at_work: AbstractContextManager[object],
    others_work: bool,
) -> int:
    """Follow the jobs while they are worked on; return how many failed meanwhile."""
    try:
        with at_work:
            return _follow(node, model, waiting, others_work)
    except KeyboardInterrupt:
        typer.echo("What waits stays; the same command goes on with it.", err=True)
        raise typer.Exit(_INTERRUPTED) from None


def _at_work(
    node: "Node", engine: Engine | None, processes: int | None, options: "RayOptions"
) -> AbstractContextManager[object]:
    """Return what works on the jobs meanwhile; nothing where the node's processes do."""
    from arcuate.rescoring import working_here
    from arcuate.role_logs import configure_role_logs
    from arcuate.roles import Role

    if engine is None:
        return nullcontext()
    # Its everyday events would stand between what people read.
    settings = node.settings.model_copy(update={"log_level": "warning"})
    configure_role_logs(settings, Role.INFER)
    if engine is Engine.LOCAL:
        return working_here(node, processes)
    from arcuate.ray_workers import working_on_ray

    return working_on_ray(settings, options)


def _follow(node: "Node", model: "RescoringModel", waiting: int, others_work: bool) -> int:
    """Show what becomes of the jobs until none waits; return how many failed meanwhile."""
    from arcuate.rescoring import follow

    with progress("Scoring again", waiting) as note:
        warn = partial(typer.echo, err=True) if others_work else None
        failed = follow(node, model, note, warn)
    told = f"Done; {failed} failed: arcuate jobs list --status failed" if failed else "Done."
    typer.echo(told, err=True)
    return failed
