"""`arcuate import-fields`: measured fields of a CSV file, beside the estimates."""

from pathlib import Path
from typing import Annotated

import typer

from arcuate.commands.context import print_json, settings_of
from arcuate.commands.models import AsJson


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="import-fields")(import_fields)


def import_fields(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV file.")],
    issuer: Annotated[
        str | None, typer.Option(help="Issuer of the Patient IDs, where several use them.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take measured 24-2 fields into the record, in the form of UWHVF; exit code 1 if any is not.

    Columns PatID, Eye, Sens_1 to Sens_54 and, where known, Date or Age, FieldN, MD, TD_n, PD_n.
    Importing again adds nothing twice.
    """
    from arcuate import field_importing
    from arcuate.field_table import read_field_lines
    from arcuate.node import open_node

    lines = read_field_lines(path)
    database = open_node(settings_of(context)).database
    try:
        outcomes = list(field_importing.import_fields(database, lines, issuer))
    finally:
        database.close()
    counts = field_importing.count(outcomes)
    refused = [one for one in outcomes if one.verdict is field_importing.LineVerdict.REFUSED]
    if as_json:
        print_json([{"line": o.line, "outcome": o.verdict, "message": o.message} for o in outcomes])
    else:
        for one in refused:
            typer.echo(f"line {one.line}: REFUSED  {one.message}")
        words = field_importing.LineVerdict
        typer.echo(
            f"{counts[words.RECORDED]} recorded, {counts[words.KNOWN]} known before, "
            f"{counts[words.REFUSED]} refused.",
            err=True,
        )
    raise typer.Exit(1 if refused or not outcomes else 0)
