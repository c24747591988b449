"""`arcuate backup`, `arcuate restore`: a copy of the whole node, and the way back."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import track

from arcuate.commands.context import print_json, settings_of
from arcuate.commands.models import AsJson

if TYPE_CHECKING:
    from arcuate.backup.backing_up import BackedUp
    from arcuate.backup.restoring import Restored

_Item = TypeVar("_Item")
_Folder = Annotated[Path, typer.Argument(file_okay=False, help="Folder of the back-up.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(backup)
    app.command()(restore)


def backup(
    context: typer.Context,
    folder: _Folder,
    earlier: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            help="A back-up on the same disk: what it holds is linked, not copied again.",
        ),
    ] = None,
    record_only: Annotated[
        bool, typer.Option("--record-only", help="Leave out the files: they are safe elsewhere.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Copy record, instances, quarantine and models into an empty folder, while the node works.

    Settings, keys and certificates are not in it. Exit code 1 where the storage lacks a file that
    the record names.
    """
    from arcuate.backup.backing_up import back_up
    from arcuate.node import open_node

    node = open_node(settings_of(context))
    found = back_up(node, folder, earlier, not record_only, _tracked)
    node.database.close()
    if as_json:
        print_json({"folder": str(folder), **_figures(found)})
    else:
        _tell(found, folder)
    raise typer.Exit(1 if found.lost else 0)


def restore(context: typer.Context, folder: _Folder, as_json: AsJson = False) -> None:
    """Bring a back-up back into a new node, and check each object against its digest.

    The database of the settings must be empty, and there must be no files. Exit code 1 where
    something did not come back whole.
    """
    from arcuate.backup.restoring import restore as run

    found = run(settings_of(context), folder, _tracked)
    if as_json:
        print_json({**vars(found.manifest), **_outcome(found)})
    else:
        typer.echo(
            f"Restored the state of {found.manifest.made_at}: {found.instances} instances whole, "
            f"{len(found.damaged)} damaged or missing, {len(found.manifest.removed)} removed while "
            "the back-up was made. Look at it with `arcuate doctor`, then start the node."
        )
        for uid in found.damaged:
            typer.echo(f"Damaged or missing: {uid}")
        for path in found.left_out:
            typer.echo(f"Damaged or missing in the back-up: {path}")
    raise typer.Exit(1 if found.damaged or found.left_out else 0)


def _tracked(items: Iterable[_Item]) -> Iterable[_Item]:
    console = Console(stderr=True)
    return track(items, "Copying", console=console, disable=not console.is_terminal)


def _figures(found: "BackedUp") -> dict[str, object]:
    return {**vars(found.manifest), "linked": found.linked, "lost": found.lost}


def _outcome(found: "Restored") -> dict[str, object]:
    return {
        "instances": found.instances,
        "damaged": found.damaged,
        "left_out": found.left_out,
    }


def _tell(found: "BackedUp", folder: Path) -> None:
    manifest = found.manifest
    typer.echo(
        f"{folder}: the record of {manifest.made_at}, {manifest.files} files "
        f"({manifest.size_bytes / (1 << 20):.1f} MiB, {found.linked} of them linked), "
        f"{len(manifest.removed)} removed meanwhile."
    )
    for path in found.lost:
        typer.echo(f"Recorded, but not in the storage: {path}", err=True)
