"""`arcuate up`: everything on this machine, supervised."""

import signal
import threading
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from arcuate.commands.context import settings_of

if TYPE_CHECKING:
    from arcuate.node import Node


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(up)


def up(context: typer.Context) -> None:
    """Run every role on this machine, and start again what dies."""
    from arcuate.node import prepare_node
    from arcuate.roles import Role
    from arcuate.supervisor import Supervisor
    from core.logs import configure_logs

    settings = settings_of(context)
    configure_logs(settings.log_level, "up")
    node = prepare_node(settings)
    supervisor = Supervisor(settings)
    ports = supervisor.start()
    page = f"http://{settings.http_host}:{ports[Role.SERVE]}"
    console = Console(highlight=False, soft_wrap=True)
    console.print(
        f"Arcuate is ready.\n"
        f"  AE title  {settings.ae_title}\n"
        f"  DICOM     {settings.dicom_host}:{ports[Role.RECEIVE]}\n"
        f"  Page      {page}{_way_in(node)}\n"
        f"  Record    {node.database.url.render_as_string(hide_password=True)}\n"
        f"  Bytes     {settings.storage}\n"
        "Unknown callers are "
        + ("admitted." if settings.allow_unknown_peers else "refused: `arcuate peers callers`.")
        + " Stop with Ctrl-C."
    )
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    supervisor.watch(stopping)


def _way_in(node: "Node") -> str:
    """Return the path that signs in once whoever reads this terminal; keys are made afterwards."""
    from api.logins import create_login_token
    from core.keys import Role

    if node.settings.auth == "none":
        return ""
    with node.database.transaction() as session:
        return f"/login?token={create_login_token(session, Role.ADMINISTRATOR)}  (opens once)"
