"""`arcuate deliveries`: which report went where, what waits, and what was given up."""

from datetime import datetime
from typing import Annotated, Final

import typer

from arcuate.commands.context import print_rows, settings_of
from arcuate.commands.models import AsJson
from arcuate.errors import WrongUse
from core.tables.deliveries import DeliveryState

app = typer.Typer(help="Which report went where.", no_args_is_help=True)

_COLUMNS: Final = [
    *("id", "destination", "report_kind", "sop_instance_uid", "state", "attempts"),
    *("commitment", "error", "created_at", "delivered_at"),
]

DeliveryId = Annotated[int | None, typer.Argument(help="Its id.")]


@app.command(name="list")
def list_deliveries(
    context: typer.Context,
    state: Annotated[DeliveryState | None, typer.Option(help="Only those that stand so.")] = None,
    destination: Annotated[str | None, typer.Option(help="Only those to that one.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List deliveries, newest first."""
    from arcuate.node import open_node
    from core.deliveries.listing import Wanted, as_dict, list_newest

    wanted = Wanted(state, destination)
    with open_node(settings_of(context)).database.reading() as session:
        rows = [as_dict(record) for record in list_newest(session, wanted, limit)]
    print_rows(rows, _COLUMNS, as_json, nothing="There are none.")


@app.command()
def retry(
    context: typer.Context,
    delivery_id: DeliveryId = None,
    destination: Annotated[
        str | None, typer.Option(help="All that were given up or wait for that destination.")
    ] = None,
) -> None:
    """Send a delivery once more, or all of a destination; attempts begin anew."""
    from arcuate.node import open_node
    from core.deliveries.retrying import retry_delivery, retry_destination

    if (delivery_id is None) == (destination is None):
        raise WrongUse("Name one delivery, or --destination NAME")
    with open_node(settings_of(context)).database.transaction() as session:
        if delivery_id is not None:
            retry_delivery(session, delivery_id)
            count = 1
        else:
            count = retry_destination(session, str(destination))
    typer.echo(f"{count} deliveries are due.")


@app.command()
def dismiss(
    context: typer.Context, delivery_id: Annotated[int, typer.Argument(help="Its id.")]
) -> None:
    """Say that a delivery that was given up need not arrive; it holds its study no more."""
    from arcuate.node import open_node
    from core.deliveries.retrying import dismiss_delivery

    with open_node(settings_of(context)).database.transaction() as session:
        dismiss_delivery(session, delivery_id)
    typer.echo(f"Delivery {delivery_id} is dismissed.")


@app.command()
def plan(
    context: typer.Context,
    since: Annotated[
        datetime,
        typer.Option(
            formats=["%Y-%m-%d"], help="Results estimated since that day, in this node's time zone."
        ),
    ],
) -> None:
    """Let results from before a rule was made go where the rules of now say."""
    from arcuate.node import open_node
    from core.deliveries.backfill import plan_earlier
    from reports.register import ON_REQUEST

    settings = settings_of(context)
    on_request = frozenset() if settings.text_reports else ON_REQUEST
    count = plan_earlier(open_node(settings).database, since.astimezone(), on_request)
    typer.echo(f"{count} deliveries were planned.")
