"""`arcuate migrate`: the database schema."""

from typing import Annotated

import typer

from arcuate.commands.context import settings_of


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(migrate)


def migrate(
    context: typer.Context,
    check: Annotated[bool, typer.Option("--check", help="Only say whether it is current.")] = False,
) -> None:
    """Create or upgrade the database schema."""
    from arcuate.node import database_exists, has_current_schema, upgrade
    from core.database import Database

    settings = settings_of(context)
    if check and not database_exists(settings):
        typer.echo("There is no database yet: `arcuate migrate` makes it.")
        raise typer.Exit(1)
    database = Database(settings.database)
    if not check:
        upgrade(database)
    current = has_current_schema(database)
    database.close()
    typer.echo(f"The schema is {'current' if current else 'not current: run `arcuate migrate`'}.")
    raise typer.Exit(0 if current else 1)
