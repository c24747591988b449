"""`arcuate peers`: the application entities we know, and the callers we refused."""

from typing import Annotated

import typer

from arcuate.commands.context import print_json, print_rows, settings_of
from arcuate.commands.models import AsJson

app = typer.Typer(help="The peers that may call us.", no_args_is_help=True)

AETitle = Annotated[str, typer.Argument(help="AE title of the peer.")]


@app.command(name="list")
def list_known(context: typer.Context, as_json: AsJson = False) -> None:
    """List the known peers."""
    from arcuate.node import open_node
    from core.clock import utc_now
    from core.peer_sightings import with_sightings
    from dicom_node.peers import list_peers

    with open_node(settings_of(context)).database.reading() as session:
        peers = with_sightings(session, list_peers(session), utc_now())
    rows = [
        {
            **peer.row.model_dump(),
            "last_object_at": peer.sighting.last_object_at if peer.sighting else None,
            "silent_since": peer.silent_since,
        }
        for peer in peers
    ]
    columns = [
        *("ae_title", "host", "port", "tls", "certificate_sha256", "description", "last_seen_at"),
        *("last_object_at", "expect_every_seconds", "expect_days", "silent_since"),
    ]
    nothing = "There are none: `arcuate peers add AET --host ADDRESS` lets a device in."
    print_rows(rows, columns, as_json, nothing)


@app.command()
def add(
    context: typer.Context,
    ae_title: AETitle,
    host: Annotated[
        str, typer.Option(help="Address it calls from: an address, a network a.b.c.d/n, or `*`.")
    ],
    port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            help="Port it listens on: storage commitment is reported there, `retrieve` asks there. "
            "Without it, a peer that is known keeps its port.",
        ),
    ] = None,
    description: Annotated[str, typer.Option(help="For people.")] = "",
    certificate: Annotated[
        typer.FileBinaryRead | None,
        typer.Option(
            help="Its certificate (PEM or DER): it may then call over DICOM TLS with this one "
            "only, until the peer is removed."
        ),
    ] = None,
    tls: Annotated[
        bool | None,
        typer.Option("--tls/--no-tls", help="Whether its port is called over DICOM TLS."),
    ] = None,
    expect_every: Annotated[
        str | None,
        typer.Option(
            help="Longest time without an object from it, like 24h, 90m or 7d: silent for longer, "
            "it is told by doctor, API, page and log. `never` expects nothing again."
        ),
    ] = None,
    expect_days: Annotated[
        str | None,
        typer.Option(help="Days that count for --expect-every, like mon-fri or mon,wed; all."),
    ] = None,
) -> None:
    """Let a device or PACS call us."""
    from arcuate.node import open_or_make_node
    from dicom_node.peers import ExpectedRhythm, add_peer

    if expect_days is not None and expect_every is None:
        raise typer.BadParameter("--expect-days belongs to --expect-every")
    rhythm = ExpectedRhythm(expect_every, expect_days or "") if expect_every else None
    shown = certificate.read() if certificate is not None else None
    with open_or_make_node(settings_of(context)).database.transaction() as session:
        peer = add_peer(session, ae_title, host, port, description, shown, tls, rhythm)
        bound = ", over DICOM TLS with its certificate" if peer.certificate_sha256 else ""
        called = f" We call its port {port} over TLS." if peer.tls and port else ""
    typer.echo(f"{ae_title} may call from {host}{bound}.{called}")


@app.command()
def remove(context: typer.Context, ae_title: AETitle) -> None:
    """Refuse a peer from now on."""
    from arcuate.node import open_node
    from dicom_node.peers import remove_peer

    with open_node(settings_of(context)).database.transaction() as session:
        remove_peer(session, ae_title)
    typer.echo(f"{ae_title} is no longer known.")


@app.command()
def echo(context: typer.Context, ae_title: AETitle, as_json: AsJson = False) -> None:
    """Ask a peer whether it answers (C-ECHO)."""
    from arcuate.node import open_node
    from core.calling_tls import CallingTLS
    from dicom_node.peers import address_of
    from dicom_node.scu.echo import echo as c_echo

    settings = settings_of(context)
    with open_node(settings).database.reading() as session:
        address = address_of(session, ae_title)
    seconds = c_echo(address, settings.ae_title, CallingTLS(settings))
    if as_json:
        print_json({"ae_title": ae_title, "seconds": round(seconds, 4)})
        return
    typer.echo(f"{ae_title} answered in {1000 * seconds:.0f} ms.")


@app.command()
def callers(context: typer.Context, as_json: AsJson = False) -> None:
    """List the callers that were refused."""
    from arcuate.node import open_node
    from dicom_node.peers import list_refused_callers

    with open_node(settings_of(context)).database.reading() as session:
        rows = [caller.model_dump() for caller in list_refused_callers(session)]
    columns = ["calling_ae_title", "address", "called_ae_title", "reason", "count", "last_seen_at"]
    print_rows(rows, columns, as_json, nothing="Nobody was refused.")
