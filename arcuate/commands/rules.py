"""`arcuate rules`: which results go to which destination."""

from typing import Annotated

import typer

from arcuate.commands.context import print_rows, settings_of
from arcuate.commands.models import AsJson
from arcuate.errors import WrongUse

app = typer.Typer(help="Which results go to which destination.", no_args_is_help=True)


@app.command(name="list")
def list_all(context: typer.Context, as_json: AsJson = False) -> None:
    """List the rules; what is empty is true of every result."""
    from arcuate.node import open_node
    from core.deliveries.rules import list_rules

    with open_node(settings_of(context)).database.reading() as session:
        found = list_rules(session)
    rows = [
        {
            "id": rule.id,
            "destination": destination.name,
            "statuses": rule.statuses if as_json else ", ".join(rule.statuses),
            "model": rule.model,
            "laterality": rule.laterality,
            "reports": rule.report_kinds if as_json else ", ".join(rule.report_kinds),
        }
        for rule, destination in found
    ]
    columns = ["id", "destination", "statuses", "model", "laterality", "reports"]
    print_rows(rows, columns, as_json, nothing="There are none: nothing is sent anywhere.")


@app.command()
def add(
    context: typer.Context,
    destination: Annotated[str, typer.Argument(help="Name of the destination.")],
    status: Annotated[
        list[str] | None,
        typer.Option(help="final, not_assessable or failed; as often as wanted; all."),
    ] = None,
    model: Annotated[str, typer.Option(help="NAME or NAME:VERSION of the model; any.")] = "",
    laterality: Annotated[str, typer.Option(help="R or L; both.")] = "",
    report: Annotated[
        list[str] | None, typer.Option(help="Kind of report; as often as wanted; all.")
    ] = None,
) -> None:
    """Let results go to a destination from now on."""
    from arcuate.node import open_node
    from core.deliveries.destinations import find_destination
    from core.deliveries.rules import add_rule
    from reports.report import ReportKind

    kinds = report or []
    unknown = sorted(set(kinds) - set(ReportKind))
    if unknown:
        raise WrongUse(f"{unknown[0]!r} is no kind of report: {', '.join(ReportKind)}")
    with open_node(settings_of(context)).database.transaction() as session:
        row = find_destination(session, destination)
        rule = add_rule(session, row, status or [], model, laterality, kinds)
        number = rule.id
    typer.echo(f"Rule {number} lets results go to {destination}.")


@app.command()
def remove(context: typer.Context, rule_id: Annotated[int, typer.Argument(help="Its id.")]) -> None:
    """Let a rule hold no more; what it let go is still sent."""
    from arcuate.node import open_node
    from core.deliveries.rules import remove_rule

    with open_node(settings_of(context)).database.transaction() as session:
        remove_rule(session, rule_id)
    typer.echo(f"Rule {rule_id} is gone.")
