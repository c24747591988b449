"""`arcuate conformance`: the DICOM conformance statement of the running configuration."""

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import typer

from arcuate.commands.context import print_json, settings_of
from arcuate.commands.models import AsJson

if TYPE_CHECKING:
    from core.settings import Settings
    from dicom_node.conformance.statement import WebRoute


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(conformance)


def conformance(context: typer.Context, as_json: AsJson = False) -> None:
    """Print the DICOM conformance statement of this configuration as Markdown."""
    from dicom_node.conformance.document import write_document
    from dicom_node.conformance.statement import build_statement

    settings = settings_of(context)
    statement = build_statement(settings, version("arcuate"), web_routes(settings))
    if as_json:
        print_json(statement.as_dict())
    else:
        typer.echo(write_document(statement), nl=False)


def web_routes(settings: "Settings") -> list["WebRoute"]:
    """Return what the HTTP side serves of DICOMweb, from its own description."""
    from dicom_node.conformance.statement import WebRoute

    paths: dict[str, dict[str, Any]] = _description(settings)["paths"]
    return [
        WebRoute(method.upper(), path, operation["summary"])
        for path, operations in paths.items()
        for method, operation in operations.items()
        if path.startswith("/dicom-web/")
    ]


def _description(settings: "Settings") -> dict[str, Any]:
    from api.app import create_app
    from core.database import Database
    from dicom_node.storage.opening import open_storage

    database = Database(settings.database)
    try:
        return create_app(settings, database, open_storage(settings)).openapi()
    finally:
        database.close()
