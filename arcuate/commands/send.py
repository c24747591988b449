"""`arcuate send`: C-STORE files, folders or DICOMDIR media to a peer."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import track

from arcuate.commands.context import print_json, settings_of
from arcuate.commands.models import AsJson

if TYPE_CHECKING:
    from core.settings import Settings
    from dicom_node.peers import PeerAddress
    from dicom_node.scu.store import SendResult

#: What became of one file, as `--json` prints it.
Outcome = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(send)


def send(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(exists=True, help="Files, folders or DICOMDIR.")],
    to: Annotated[str, typer.Option(help="The peer: AET@HOST:PORT, or the AET of a known one.")],
    calling: Annotated[
        str | None, typer.Option(help="AE title to call as; by default our own.")
    ] = None,
    tls: Annotated[
        bool, typer.Option("--tls", help="Call over DICOM TLS, as known peers say themselves.")
    ] = False,
    certificate: Annotated[
        typer.FileBinaryRead | None,
        typer.Option(help="With --tls: the one certificate the peer may show (PEM or DER)."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send DICOM objects as they are; exit code 1 unless each was taken.

    Files of another kind that lie in a folder beside them are named and left out.
    """
    from core.calling_tls import CallingTLS
    from dicom_node.scu.store import send as c_store

    settings = settings_of(context, ae_title=calling)
    peer = _peer(settings, to, tls, certificate.read() if certificate else None)
    console = Console(stderr=True)
    outcomes: list[Outcome] = []
    try:
        for result in track(
            c_store(paths, peer, settings.ae_title, CallingTLS(settings)),
            description="Sending",
            console=console,
            disable=not console.is_terminal,
        ):
            outcomes.append(_outcome(result, paths))
            if not as_json:
                typer.echo("{outcome:8}  {path}  {message}".format(**outcomes[-1]).rstrip())
    finally:
        # What was answered before the peer went away is known, and must not be lost.
        if as_json:
            print_json(outcomes)
    _conclude(outcomes, peer, as_json)


def _peer(settings: "Settings", to: str, tls: bool, certificate: bytes | None) -> "PeerAddress":
    from arcuate.node import open_node
    from core.tls import read_fingerprint
    from dicom_node.calling_errors import PeerInvalid
    from dicom_node.peers import PeerAddress, address_of

    if "@" not in to:
        if tls or certificate:
            raise typer.BadParameter("what is said of a known peer counts", param_hint="--tls")
        with open_node(settings).database.reading() as session:
            return address_of(session, to)
    if certificate and not tls:
        raise typer.BadParameter("needs --tls", param_hint="--certificate")
    try:
        address = PeerAddress.parse(to)
    except PeerInvalid as error:
        raise typer.BadParameter(str(error), param_hint="--to") from error
    return replace(
        address, tls=tls, certificate_sha256=read_fingerprint(certificate) if certificate else None
    )


def _outcome(result: "SendResult", named: Sequence[Path]) -> Outcome:
    from arcuate.dicom_files import is_dicom_file

    if result.is_kept:
        word = "kept"
    elif result.path in named or is_dicom_file(result.path):
        word = "FAILED"
    else:
        word = "left out"
    status = None if result.status is None else f"{result.status:04X}"
    message = result.message or (f"status {status}" if word == "FAILED" else "")
    return {
        "path": str(result.path),
        "kept": result.is_kept,
        "outcome": word,
        "status": status,
        "message": message,
    }


def _conclude(outcomes: Sequence[Outcome], peer: "PeerAddress", as_json: bool) -> None:
    sent = [outcome for outcome in outcomes if outcome["outcome"] != "left out"]
    kept = sum(outcome["outcome"] == "kept" for outcome in sent)
    if not as_json:
        none = "" if sent else "There was no DICOM file. "
        typer.echo(f"{none}{peer} took {kept} of {len(sent)}.", err=True)
    raise typer.Exit(0 if sent and kept == len(sent) else 1)
