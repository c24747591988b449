"""`arcuate keys`: API keys."""

from typing import Annotated

import typer

from arcuate.commands.context import print_json, print_rows, settings_of
from arcuate.commands.models import AsJson
from core.keys import Role

app = typer.Typer(help="The keys of the API.", no_args_is_help=True)

_NONE = "There are none: `arcuate keys create NAME` makes one."

KeyName = Annotated[str, typer.Argument(help="Its name, for people.")]


@app.command()
def create(
    context: typer.Context,
    name: KeyName,
    role: Annotated[Role, typer.Option(help="What its holder may do.")] = Role.VIEWER,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, alone on standard output; it cannot be shown again."""
    from arcuate.node import prepare_node
    from core.keys import create_key

    with prepare_node(settings_of(context)).database.transaction() as session:
        key = create_key(session, name, role)
    if as_json:
        print_json({"name": name, "role": role, "key": key})
        return
    typer.echo(key)
    typer.echo("Keep it now: it cannot be shown again.", err=True)


@app.command(name="list")
def list_known(context: typer.Context, as_json: AsJson = False) -> None:
    """List the keys, without their secrets."""
    from arcuate.node import open_node
    from core.keys import list_keys

    with open_node(settings_of(context)).database.reading() as session:
        rows = [key.model_dump(exclude={"digest"}) for key in list_keys(session)]
    print_rows(rows, ["name", "role", "created_at", "revoked_at"], as_json, _NONE)


@app.command()
def revoke(context: typer.Context, name: KeyName) -> None:
    """Refuse a key from now on."""
    from arcuate.node import open_node
    from core.keys import revoke_key

    with open_node(settings_of(context)).database.transaction() as session:
        revoke_key(session, name)
    typer.echo(f"{name} is refused from now on.")
