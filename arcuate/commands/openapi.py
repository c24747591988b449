"""`arcuate openapi`: the OpenAPI document."""

import typer

from arcuate.commands.context import print_json, settings_of


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(openapi)


def openapi(context: typer.Context) -> None:
    """Print the OpenAPI document of the REST API."""
    from api.app import create_app
    from core.database import Database
    from dicom_node.storage.opening import open_storage

    settings = settings_of(context)
    database = Database(settings.database)
    print_json(create_app(settings, database, open_storage(settings)).openapi())
    database.close()
