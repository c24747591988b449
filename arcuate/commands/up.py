"""`arcuate up`: everything on this machine, supervised."""

import signal
import threading
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from arcuate.commands.context import settings_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from arcuate.node import Node
    from arcuate.roles import Role


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(up)


def up(context: typer.Context) -> None:
    """Run every role on this machine, and start again what dies."""
    from arcuate.node import prepare_node
    from arcuate.role_logs import configure_role_logs
    from arcuate.roles import ANSWERING
    from arcuate.supervisor import Supervisor
    from core.tls import server_context

    settings = settings_of(context)
    if settings.tls_cert:
        # Told here, not by two of the roles among the lines of all.
        server_context(settings, asks_for_certificate=True)
    configure_role_logs(settings, "up")
    node = prepare_node(settings)
    supervisor = Supervisor(settings)
    # Receiving waits for none of the others: what comes meanwhile is scored when they are ready.
    ports = supervisor.start(required=ANSWERING)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    Console(highlight=False, soft_wrap=True, markup=False).print(
        _welcome(node, ports, supervisor.dicom_tls_port, supervisor.late)
    )
    supervisor.watch(stopping)
    typer.echo("Arcuate has stopped.")


def _welcome(
    node: "Node", ports: "Mapping[Role, int]", dicom_tls_port: int, late: "Sequence[str]"
) -> str:
    from arcuate.roles import Role
    from arcuate.site import site_of

    settings = node.settings
    site = site_of(settings, ports[Role.SERVE])
    dicom = {"": ports[Role.RECEIVE], " (TLS)": dicom_tls_port}
    doors = [f"{settings.dicom_host}:{port}{kind}" for kind, port in dicom.items() if port]
    folder = settings.watch_folder
    missing = "".join(
        f"  Missing   {what}. The others run; it is tried until it is ready\n" for what in late
    )
    watched = f"  Folder    {folder}: what is put there is taken in\n" if folder else ""
    return (
        f"Arcuate is ready{', in part' * bool(late)}. Fields are estimated from scans, never "
        "measured.\n\n"
        f"  AE title  {settings.ae_title}\n"
        f"  DICOM     {', '.join(doors)}\n"
        f"  Page      {site}{_way_in(node)}\n"
        f"  API       {site}/v1\n"
        f"  Record    {node.database.url.render_as_string(hide_password=True)}\n"
        f"  Bytes     {settings.storage}\n"
        f"  Callers   {_callers(node)}\n"
        f"{watched}{missing}\n"
        "Stop with Ctrl-C."
    )


def _callers(node: "Node") -> str:
    """Say who may send, and how to let someone in."""
    from dicom_node.peers import list_peers

    if node.settings.allow_unknown_peers:
        return "everyone may send: allow_unknown_peers is on"
    with node.database.reading() as session:
        known = [peer.ae_title for peer in list_peers(session)]
    if not known:
        return "nobody may send yet; `arcuate peers add AET --host ADDRESS` lets a device in"
    return f"{', '.join(known)}; others are refused and listed by `arcuate peers callers`"


def _way_in(node: "Node") -> str:
    """Return the path that makes whoever reads this terminal the first administrator.

    Where there is one, and where an OpenID provider says who is, only how to sign in.
    """
    from api.logins import LOGIN_TOKEN_LIFE, create_first_link
    from core.keys import has_administrator

    if node.settings.auth == "none":
        return ""
    if node.settings.auth == "oidc":
        return "  (sign in by the OpenID provider)"
    with node.database.transaction() as session:
        if has_administrator(session):
            return "  (sign in with a key; `arcuate keys link NAME` makes a link)"
        token = create_first_link(session)
    minutes = LOGIN_TOKEN_LIFE.total_seconds() / 60
    return (
        f"/login?token={token}  (makes the first administrator, once, within {minutes:.0f} minutes)"
    )
