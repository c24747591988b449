"""`arcuate destinations`: where results are sent."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from arcuate.commands.context import print_json, print_rows, settings_of
from arcuate.commands.models import AsJson
from arcuate.errors import WrongUse

app = typer.Typer(help="Where results are sent.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the destination.")]

_COLUMNS: Final = [
    *("name", "kind", "address", "enabled", "circuit", "waiting", "gave_up"),
    *("last_success_at", "last_error", "last_error_at", "retry_at"),
]


@app.command(name="list")
def list_known(context: typer.Context, as_json: AsJson = False) -> None:
    """List the destinations, whether each answers, and what waits for it."""
    from arcuate.node import open_node
    from core.deliveries.overview import list_overviews

    with open_node(settings_of(context)).database.reading() as session:
        rows = [overview.as_dict() for overview in list_overviews(session)]
    nothing = "There are none: `arcuate destinations add NAME KIND ADDRESS` makes one."
    print_rows(rows, _COLUMNS, as_json, nothing)


@app.command()
def kinds(as_json: AsJson = False) -> None:
    """List the kinds of destination, with what each takes for an address and options."""
    from dicom_node.delivery.targets.register import TARGETS

    rows = [{"kind": target.kind, "about": target.about} for target in TARGETS]
    print_rows(rows, ["kind", "about"], as_json)


@app.command()
def add(
    context: typer.Context,
    name: Name,
    kind: Annotated[str, typer.Argument(help="See `arcuate destinations kinds`.")],
    address: Annotated[str, typer.Argument(help="An AE title, a URL or a folder.")],
    option: Annotated[
        list[str] | None, typer.Option(help="KEY=VALUE; as often as there are some.")
    ] = None,
    secret_file: Annotated[
        Path | None,
        typer.Option(help="File with the token or client secret; `-` reads standard input."),
    ] = None,
    rule: Annotated[
        bool, typer.Option("--rule/--no-rule", help="Whether every new result goes there at once.")
    ] = True,
) -> None:
    """Add a destination; every new result goes there unless --no-rule says otherwise."""
    from arcuate.node import open_or_make_node
    from core.deliveries.destinations import add_destination
    from core.deliveries.rules import add_rule
    from dicom_node.delivery.targets.register import find_target

    secret = _read_secret(secret_file)
    options = find_target(kind).read_options(address, _pairs(option or []), secret)
    with open_or_make_node(settings_of(context)).database.transaction() as session:
        row = add_destination(session, name, kind, address, options, secret)
        if rule:
            add_rule(session, row)
    told = "Every new result goes there" if rule else "Nothing goes there yet"
    typer.echo(f"{name} is known. {told}: `arcuate rules` says which.")


@app.command()
def remove(context: typer.Context, name: Name) -> None:
    """Forget a destination, and what waits for it; what arrived there stays on record."""
    from arcuate.node import open_node
    from core.deliveries.destinations import remove_destination

    with open_node(settings_of(context)).database.transaction() as session:
        dropped = remove_destination(session, name)
    typer.echo(f"{name} is no longer known; {dropped} deliveries were dropped.")


@app.command()
def enable(context: typer.Context, name: Name) -> None:
    """Send to a destination, and at once what waits for it."""
    from arcuate.node import open_node
    from core.deliveries.destinations import enable_destination

    with open_node(settings_of(context)).database.transaction() as session:
        enable_destination(session, name)
    typer.echo(f"{name} is sent to.")


@app.command()
def disable(context: typer.Context, name: Name) -> None:
    """Send to a destination no more for now; what is for it waits."""
    from arcuate.node import open_node
    from core.deliveries.destinations import disable_destination

    with open_node(settings_of(context)).database.transaction() as session:
        disable_destination(session, name)
    typer.echo(f"{name} is not sent to; `arcuate destinations enable {name}` goes on.")


@app.command()
def probe(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Ask a destination whether it answers; nothing is sent."""
    from arcuate.node import open_node
    from core.deliveries.destinations import find_destination
    from dicom_node.delivery.outbox import destination_of
    from dicom_node.delivery.targets.register import find_target
    from dicom_node.delivery.targets.target import Tools

    settings = settings_of(context)
    database = open_node(settings).database
    with database.reading() as session:
        destination = destination_of(find_destination(session, name))
    find_target(destination.kind).probe(destination, Tools(settings, database))
    if as_json:
        print_json({"name": name, "answers": True})
        return
    typer.echo(f"{name} answers.")


def _pairs(options: list[str]) -> dict[str, str]:
    pairs: dict[str, Any] = dict(option.partition("=")[::2] for option in options)
    if not all("=" in option for option in options):
        raise WrongUse("--option takes KEY=VALUE")
    return pairs


def _read_secret(path: Path | None) -> str | None:
    # Not from the command line, where every user of the machine could read it.
    if path is None:
        return None
    text = typer.get_text_stream("stdin").read() if str(path) == "-" else path.read_text("utf-8")
    secret = text.strip()
    if not secret:
        raise WrongUse("The file of the secret is empty")
    return secret
