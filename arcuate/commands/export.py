"""`arcuate export`: objects and results for research, de-identified."""

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.progress import track

from arcuate.commands.context import print_json, settings_of
from arcuate.commands.models import AsJson
from dicom_node.deidentification.options import Option

if TYPE_CHECKING:
    from arcuate.exporting.exporting import Exported
    from arcuate.exporting.selection import ChosenObject

_WRITTEN: Final = "written"
_DAY: Final = ["%Y-%m-%d"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(export)


def export(
    context: typer.Context,
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder, empty or begun before.")],
    since: Annotated[
        datetime | None, typer.Option(formats=_DAY, help="First day of the studies.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=_DAY, help="Last day of the studies.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="NAME[:VERSION]: studies with a result of it.")
    ] = None,
    project: Annotated[
        str | None,
        typer.Option(help="Pseudonyms differ by project; by default ARCUATE_RESEARCH_PROJECT."),
    ] = None,
    option: Annotated[
        list[Option] | None, typer.Option(help="What may stay (PS3.15 E.3); may be repeated.")
    ] = None,
    parquet: Annotated[
        bool, typer.Option("--parquet", help="Write results.parquet instead of results.csv.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Give objects and results out under pseudonyms, as PS3.15 Annex E says; resumable.

    Objects whose pixels or form may name somebody are refused and listed in objects.csv.
    """
    from arcuate.audited import record_act
    from arcuate.exporting.exporting import export as run
    from arcuate.exporting.order import ExportOrder
    from arcuate.exporting.selection import count_objects, patients_chosen
    from arcuate.node import open_node
    from core.pseudonyms import pseudonyms_of
    from core.values.audit import AuditAction

    settings = settings_of(context, research_project=project)
    node = open_node(settings)
    order = ExportOrder(
        folder=out,
        pseudonyms=pseudonyms_of(node.database, settings.research_project),
        options=frozenset(option or ()),
        since=since.date() if since else None,
        until=until.date() if until else None,
        model=model,
        as_parquet=parquet,
    )
    # Before anything leaves, each time: the folder goes to others.
    patients = patients_chosen(node.database, order)
    record_act(node.database, AuditAction.EXPORT, "research", patients)
    tracked = _tracked(lambda: count_objects(node.database, order))
    exported = run(node.database, node.storage, order, tracked)
    if as_json:
        print_json({"folder": str(out), **vars(exported)})
    else:
        _tell(exported, out)
    raise typer.Exit(0 if exported.counts else 1)


def _tracked(
    count: Callable[[], int],
) -> Callable[["Iterable[ChosenObject]"], "Iterable[ChosenObject]"]:
    """Return what shows on a terminal how far the objects are."""
    console = Console(stderr=True)

    def tracked(objects: "Iterable[ChosenObject]") -> "Iterable[ChosenObject]":
        disable = not console.is_terminal
        return track(objects, "Exporting", count(), console=console, disable=disable)

    return tracked


def _tell(exported: "Exported", out: Path) -> None:
    written = exported.counts.get(_WRITTEN, 0)
    refused = {cause: n for cause, n in exported.counts.items() if cause != _WRITTEN}
    typer.echo(f"{out}: {written} objects ({exported.new} new), {exported.results} results.")
    for cause, number in sorted(refused.items()):
        typer.echo(f"Refused: {number} × {cause.replace('_', ' ')}")
    for code, number in sorted(exported.warnings.items()):
        typer.echo(f"Look at: {number} × {code.replace('_', ' ')}")
    if not exported.counts:
        typer.echo("There was nothing to give out.", err=True)
