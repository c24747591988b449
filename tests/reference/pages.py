"""What each generated page of the manual says, read from the code it describes."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import typer
from typer.cli import get_docs_for_click

from api.app import create_app
from arcuate.cli import app
from arcuate.commands.conformance import web_routes
from core.database import Database
from core.settings import Settings
from dicom_node.conformance.document import write_document
from dicom_node.conformance.markdown import section, table
from dicom_node.conformance.statement import build_statement
from dicom_node.storage.bytes import Storage

_HOW: Final = "<!-- Written from the code by `python -m tests.reference`; a test compares. -->\n\n"
#: What typer adds for shells, and says in other words from version to version.
_OF_SHELLS: Final = re.compile(r"^\* `--(install|show)-completion`.*\n", re.MULTILINE)


def commands_page() -> str:
    """Return the commands with their options, from their own help."""
    click_app: Any = typer.main.get_command(app)
    context = typer.Context(click_app, info_name="arcuate")
    text = get_docs_for_click(obj=click_app, ctx=context, name="arcuate", title="Commands")
    return _HOW + _OF_SHELLS.sub("", text).strip() + "\n"


def conformance_page() -> str:
    """Return the conformance statement of the default settings."""
    settings = Settings()
    with TemporaryDirectory() as home:
        routes = web_routes(settings.model_copy(update={"home": Path(home)}))
    return _HOW + write_document(build_statement(settings, version("arcuate"), routes))


def routes_page() -> str:
    """Return the routes of the REST API by subject, from the OpenAPI document."""
    by_tag: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for path, method, operation in _operations(_description()):
        if not path.startswith("/dicom-web/"):
            tag = (operation.get("tags") or ["others"])[0]
            by_tag[tag].append((f"`{method}`", f"`{path}`", operation.get("summary", "")))
    head = ("method", "path", "gives or does")
    parts = [section(2, tag.capitalize(), table(head, rows)) for tag, rows in by_tag.items()]
    return _HOW + section(1, "Every route", _REST, *parts) + "\n"


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield path, method.upper(), operation


def _description() -> dict[str, Any]:
    with TemporaryDirectory() as home:
        settings = Settings(home=Path(home))
        database = Database(settings.database)
        try:
            return create_app(settings, database, Storage(settings.storage)).openapi()
        finally:
            database.close()


_REST: Final = (
    "The routes there are; how to ask stands in [REST](rest.md), DICOMweb in "
    "[its own page](dicomweb.md). `GET /openapi.json` and `arcuate openapi` describe every "
    "parameter and answer."
)

#: Each generated page by its name in `docs/`.
PAGES: Final[dict[str, Callable[[], str]]] = {
    "commands.md": commands_page,
    "conformance.md": conformance_page,
    "rest-routes.md": routes_page,
}
