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
    from core.database import Database
    from core.migrations.schema import migrate as upgrade
    from core.migrations.schema import schema_is_current

    database = Database(settings_of(context).database)
    if not check:
        upgrade(database)
    current = schema_is_current(database)
    database.close()
    typer.echo("The schema is current." if current else "The schema is not current.")
    raise typer.Exit(0 if current else 1)
