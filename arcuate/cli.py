"""The command `arcuate`: gathers the commands; turns errors into a sentence and an exit code."""

import logging
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from arcuate.audited import terminal_trail
from arcuate.commands import (
    audit,
    backup,
    bench,
    conformance,
    deliveries,
    demo,
    destinations,
    doctor,
    export,
    import_fields,
    import_files,
    jobs,
    keys,
    migrate,
    models,
    openapi,
    patients,
    peers,
    pool,
    reference_model,
    rescore,
    retention,
    retrieve,
    roles,
    rules,
    score,
    send,
    simulate,
    up,
    webhooks,
)
from arcuate.errors import WrongUse
from core.audit.trail import followed
from core.deliveries.destinations import DestinationInvalid
from core.deliveries.rules import RuleInvalid
from core.errors import InfrastructureError, NodeError, SettingsInvalid
from core.logs import configure_logs
from core.rhythm import RhythmInvalid
from core.webhooks import WebhookInvalid
from dicom_node.calling_errors import PeerInvalid, QueryInvalid

app = typer.Typer(
    name="arcuate",
    help="A DICOM node that estimates visual fields from scans of the optic disc. "
    "Estimated, never measured; not for clinical use.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"arcuate {version('arcuate')}")
        raise typer.Exit


@app.callback()
def configure(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option(help="Settings file; by default arcuate.toml where there is one.")
    ] = None,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Say which.")
    ] = False,
) -> None:
    """Keep the settings file's path for the command that follows, and who runs it."""
    context.obj = config
    trail = terminal_trail(context.invoked_subcommand)
    if trail is not None:
        context.with_resource(followed(trail))


_COMMANDS = (up, roles, demo, send, import_files, import_fields, retrieve, score, rescore)
_TOOLS = (
    pool,
    export,
    simulate,
    reference_model,
    retention,
    backup,
    migrate,
    doctor,
    conformance,
    openapi,
)
for commands in (*_COMMANDS, *_TOOLS):
    commands.register(app)
_GROUPS = {
    "patients": patients,
    "peers": peers,
    "destinations": destinations,
    "rules": rules,
    "deliveries": deliveries,
    "webhooks": webhooks,
    "models": models,
    "jobs": jobs,
    "keys": keys,
    "audit": audit,
    "bench": bench,
}
#: Errors of what was given on the command line.
_WRONG_USE = (
    SettingsInvalid,
    PeerInvalid,
    QueryInvalid,
    RhythmInvalid,
    DestinationInvalid,
    RuleInvalid,
    WebhookInvalid,
    WrongUse,
)
for name, group in _GROUPS.items():
    app.add_typer(group.app, name=name)


def main() -> None:
    """Run a command; exit code 1 when it failed, 2 when it was called wrongly."""
    # What a command prints is read by programs: what its parts log does not belong there.
    configure_logs("warning", "command")
    # It says itself what failed; the library would say it before.
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)
    try:
        app()
    except _WRONG_USE as error:
        _explain(str(error))
        sys.exit(2)
    except InfrastructureError as error:
        _explain(f"{error} (`arcuate doctor` looks at every part)")
        sys.exit(1)
    except NodeError as error:
        _explain(str(error))
        sys.exit(1)
    except OSError as error:
        # A folder that is no folder, a file that may not be written: the system names the cause.
        _explain(f"{error.filename or 'the system'}: {error.strerror or error}")
        sys.exit(1)


def _explain(message: str) -> None:
    # As text, not markup: a message may hold brackets of its own.
    line = Text.assemble(("arcuate:", "bold red"), " ", message)
    Console(stderr=True).print(line, highlight=False, soft_wrap=True)
