"""`arcuate receive`, `infer`, `deliver`, `serve`, `watch`: one role alone."""

import json
import sys
from collections.abc import Callable
from functools import partial
from typing import Annotated

import typer

from arcuate.commands.context import settings_of
from arcuate.roles import Role, run_role
from arcuate.several import run_several
from arcuate.workers import worker_environments

_HELP = {
    Role.RECEIVE: "Accept DICOM associations and keep what comes.",
    Role.INFER: "Score what was received.",
    Role.DELIVER: "Write reports of what was scored, tell devices what is committed, remove what "
    "is no longer kept.",
    Role.SERVE: "Serve the pages and the API.",
    Role.WATCH: "Take in the files that devices put into watch_folder.",
}

Supervised = Annotated[
    bool, typer.Option(hidden=True, help="End with standard input, as a supervised child.")
]


def register(app: typer.Typer) -> None:
    """Add one command per role."""
    for role, text in _HELP.items():
        app.command(name=role, help=f"{text} As many as wanted, on any machine.")(_command(role))


def _command(role: Role) -> Callable[..., None]:
    def run(context: typer.Context, supervised: Supervised = False) -> None:
        settings = settings_of(context)
        announce = partial(_announce, role)
        workers = worker_environments(settings) if role is Role.INFER else []
        if len(workers) > 1 or (role is Role.RECEIVE and settings.receivers > 1):
            run_several(role, settings, announce, supervised, workers or None)
        else:
            run_role(role, settings, announce, supervised)

    return run


def _announce(role: Role, port: int, tls_port: int = 0) -> None:
    line = {"role": role, "ready": True, "port": port, "tls_port": tls_port}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
