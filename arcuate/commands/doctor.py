"""`arcuate doctor`: what is wrong with this installation, and what to do."""

from typing import Annotated

import typer

from arcuate.commands.context import print_rows, settings_of
from arcuate.commands.models import AsJson


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor(
    context: typer.Context,
    list_settings: Annotated[
        bool, typer.Option("--settings", help="List every setting with its value.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look the installation over; exit code 1 when something is wrong."""
    from arcuate.checks import Health, run_checks
    from core.settings import ENVIRONMENT_PREFIX, Settings

    settings = settings_of(context)
    if list_settings:
        rows = [
            {
                "setting": f"{ENVIRONMENT_PREFIX}{name.upper()}",
                "value": _shown(name, settings),
                "meaning": described.description,
            }
            for name, described in Settings.model_fields.items()
        ]
        print_rows(rows, ["setting", "value", "meaning"], as_json)
        return
    findings = run_checks(settings)
    columns = ["check", "health", "found", "remedy"]
    print_rows([vars(finding) for finding in findings], columns, as_json)
    raise typer.Exit(1 if any(finding.health is Health.WRONG for finding in findings) else 0)


def _shown(name: str, settings: object) -> str:
    from sqlalchemy import make_url

    value = getattr(settings, name)
    if name == "database_url" and value:
        return make_url(value).render_as_string(hide_password=True)
    return str(value)
