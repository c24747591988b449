"""`arcuate doctor`: what is wrong with this installation, and what to do."""

from typing import Annotated

import typer

from arcuate.commands.context import print_rows, settings_of
from arcuate.commands.models import AsJson
from core.errors import SettingsInvalid


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
    from arcuate.checks import run_checks
    from arcuate.finding import Health
    from arcuate.role_logs import configure_role_logs

    if list_settings:
        _list_settings(context, as_json)
        return
    settings = settings_of(context)
    if settings.cpu_runtime != "tensorflow":
        # Why another runtime is not used goes to standard error: findings may be read by a program.
        configure_role_logs(settings.model_copy(update={"log_level": "warning"}), "doctor")
    findings = run_checks(settings)
    columns = ["check", "health", "found", "remedy"]
    print_rows([vars(finding) for finding in findings], columns, as_json)
    wrong = [finding.check for finding in findings if finding.health is Health.WRONG]
    if not as_json:
        typer.echo(f"\nWrong: {', '.join(wrong)}." if wrong else "\nNothing is wrong.")
    raise typer.Exit(1 if wrong else 0)


def _list_settings(context: typer.Context, as_json: bool) -> None:
    """List them with their values; where one is wrong, with the defaults, and say which."""
    from core.settings import ENVIRONMENT_PREFIX, Settings

    fault: SettingsInvalid | None = None
    try:
        settings = settings_of(context)
    except SettingsInvalid as error:
        settings, fault = Settings(), error
    column = "value" if fault is None else "default"
    rows = [
        {
            "setting": f"{ENVIRONMENT_PREFIX}{name.upper()}",
            column: _shown(name, settings),
            "meaning": described.description,
        }
        for name, described in Settings.model_fields.items()
    ]
    print_rows(rows, ["setting", column, "meaning"], as_json)
    if fault is not None:
        raise fault


def _shown(name: str, settings: object) -> str:
    from sqlalchemy import make_url

    value = getattr(settings, name)
    if name == "oidc_client_secret" and value:
        return "***"
    if name == "database_url" and value:
        return make_url(value).render_as_string(hide_password=True)
    return str(value)
