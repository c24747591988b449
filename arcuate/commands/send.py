"""`arcuate send`: C-STORE files, folders or DICOMDIR media to a peer."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from arcuate.commands.context import print_json, settings_of
from arcuate.commands.models import AsJson


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(send)


def send(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(exists=True, help="Files, folders or DICOMDIR.")],
    to: Annotated[str, typer.Option(help="The peer: AET@HOST:PORT.")],
    calling: Annotated[
        str | None, typer.Option(help="AE title to call as; by default our own.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send DICOM objects as they are; exit code 1 unless each was taken."""
    from dicom_node.errors import PeerInvalid
    from dicom_node.peers import PeerAddress
    from dicom_node.scu.store import send as c_store

    try:
        peer = PeerAddress.parse(to)
    except PeerInvalid as error:
        raise typer.BadParameter(str(error), param_hint="--to") from error
    console = Console(stderr=True)
    results = list(
        track(
            c_store(paths, peer, calling or settings_of(context).ae_title),
            description="Sending",
            console=console,
            disable=not console.is_terminal,
        )
    )
    if as_json:
        print_json([{"path": r.path, "kept": r.is_kept, "message": r.message} for r in results])
    else:
        for result in results:
            typer.echo(
                f"{'kept  ' if result.is_kept else 'FAILED'}  {result.path}  {result.message}"
            )
    raise typer.Exit(0 if results and all(result.is_kept for result in results) else 1)
