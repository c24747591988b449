"""`arcuate keys`: API keys, links that sign their holders in, and who showed wrong ones."""

from datetime import timedelta
from typing import Annotated

import typer

from arcuate.commands.context import print_json, print_rows, settings_of
from arcuate.commands.models import AsJson
from core.keys import Role

app = typer.Typer(help="The keys of the API.", no_args_is_help=True)

_NONE = "There are none: `arcuate keys create NAME` makes one."
_COLUMNS = ["name", "roles", "created_at", "expires_at", "last_used_at", "revoked_at"]
_LONGEST_LIFE_DAYS = 36500

KeyName = Annotated[str, typer.Argument(help="Its name, for people.")]


@app.command()
def create(
    context: typer.Context,
    name: KeyName,
    role: Annotated[
        list[Role] | None,
        typer.Option(help="What its holder may do; give it again for several. Else: viewer."),
    ] = None,
    expires: Annotated[
        int | None,
        typer.Option(
            min=1, max=_LONGEST_LIFE_DAYS, metavar="DAYS", help="Refuse it after so many days."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, alone on standard output; it cannot be shown again."""
    from arcuate.node import open_or_make_node
    from core.clock import utc_now
    from core.keys import create_key, role_names

    roles = role or [Role.VIEWER]
    now = utc_now()
    expires_at = None if expires is None else now + timedelta(days=expires)
    with open_or_make_node(settings_of(context)).database.transaction() as session:
        key = create_key(session, name, *roles, created_at=now, expires_at=expires_at)
    if as_json:
        made = {"name": name, **_named(role_names(roles)), "expires_at": expires_at, "key": key}
        print_json(made)
        return
    typer.echo(key)
    typer.echo("Keep it now: it cannot be shown again.", err=True)


@app.command(name="list")
def list_known(context: typer.Context, as_json: AsJson = False) -> None:
    """List the keys, without their secrets."""
    from arcuate.node import open_node
    from core.keys import list_keys

    with open_node(settings_of(context)).database.reading() as session:
        rows = [
            {**key.model_dump(exclude={"digest"}), **_named(key.roles)}
            for key in list_keys(session)
        ]
    shown = rows if as_json else [{**row, "roles": ", ".join(row["roles"])} for row in rows]
    print_rows(shown, _COLUMNS, as_json, _NONE)


@app.command()
def revoke(context: typer.Context, name: KeyName) -> None:
    """Refuse a key from now on, and end the sessions of those who signed in with it."""
    from arcuate.node import open_node
    from core.keys import revoke_key

    with open_node(settings_of(context)).database.transaction() as session:
        revoke_key(session, name)
    typer.echo(f"{name} is refused from now on.")


@app.command()
def link(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(help="The key whose holder it signs in; left out: whoever comes first.")
    ] = "",
) -> None:
    """Print a one-time link that signs a browser in, without NAME the first administrator."""
    from api.logins import LOGIN_TOKEN_LIFE, create_first_link, create_link
    from arcuate.node import open_node
    from arcuate.site import site_of

    node = open_node(settings_of(context))
    with node.database.transaction() as session:
        token = create_link(session, name) if name else create_first_link(session)
    typer.echo(f"{site_of(node.settings)}/login?token={token}")
    minutes = LOGIN_TOKEN_LIFE.total_seconds() / 60
    typer.echo(f"It works once, within {minutes:.0f} minutes.", err=True)


@app.command()
def failures(context: typer.Context, as_json: AsJson = False) -> None:
    """List the addresses that lately showed wrong keys, and until when they must pause."""
    from arcuate.node import open_node
    from core.lockouts import list_failures

    with open_node(settings_of(context)).database.reading() as session:
        rows = [row.model_dump() for row in list_failures(session)]
    columns = ["address", "failures", "first_failed_at", "last_failed_at", "paused_until"]
    print_rows(rows, columns, as_json, "There are none.")


@app.command()
def forgive(
    context: typer.Context,
    address: Annotated[str, typer.Argument(help="As `arcuate keys failures` lists it.")],
) -> None:
    """Let an address that showed wrong keys try again at once."""
    from arcuate.node import open_node
    from core.lockouts import forgive as let_try_again

    with open_node(settings_of(context)).database.transaction() as session:
        let_try_again(session, address)
    typer.echo(f"{address} may try again.")


@app.command(name="sign-out")
def sign_out(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A key's name, or a subject of the provider.")],
) -> None:
    """End every session of a person, and refuse the provider's tokens from before now."""
    from api.sessions import sign_out_by_name
    from arcuate.node import open_node

    with open_node(settings_of(context)).database.transaction() as session:
        ended = sign_out_by_name(session, name)
    typer.echo(f"{ended} sessions of {name} ended.")


def _named(roles: list[str]) -> dict[str, object]:
    # Programs that read `role` were written when a key had one.
    return {"roles": roles, "role": roles[0]}
