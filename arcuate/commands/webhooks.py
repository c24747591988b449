"""`arcuate webhooks`: who is told of changes, and how far each is."""

from typing import Annotated

import typer

from arcuate.commands.context import print_json, print_rows, settings_of
from arcuate.commands.models import AsJson

app = typer.Typer(help="Who is told of changes.", no_args_is_help=True)

_COLUMNS = [
    *("name", "url", "kinds", "enabled", "position", "behind", "waiting_since", "delivered"),
    *("failures", "failing_since", "last_error"),
]
_NONE = "There are none: `arcuate webhooks add NAME URL` makes one."

WebhookName = Annotated[str, typer.Argument(help="Its name, for people.")]


@app.command()
def add(
    context: typer.Context,
    name: WebhookName,
    url: Annotated[str, typer.Argument(help="Where messages are posted: https://…")],
    kind: Annotated[
        list[str] | None, typer.Option(help="Only this kind of change; may be given again.")
    ] = None,
    after: Annotated[
        int | None,
        typer.Option(min=0, help="Begin after the change of this number; else with the next."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Subscribe, and print the secret that signs messages, alone on standard output, once."""
    from arcuate.node import open_node
    from core.clock import utc_now
    from core.webhooks import Subscription, add_webhook

    settings = settings_of(context)
    wanted = Subscription(name, url, tuple(kind or ()), after)
    with open_node(settings).database.transaction() as session:
        row = add_webhook(session, wanted, settings.webhook_allow_http, utc_now())
    if as_json:
        print_json({"name": name, "url": url, "secret": row.secret, "position": row.position})
        return
    typer.echo(row.secret)
    typer.echo("Keep it now: it cannot be shown again.", err=True)


@app.command(name="list")
def list_known(context: typer.Context, as_json: AsJson = False) -> None:
    """List the webhooks with how far each is, without their secrets."""
    from arcuate.node import open_node
    from core.webhooks import webhook_states

    with open_node(settings_of(context)).database.reading() as session:
        rows = [
            {
                **state.row.model_dump(exclude={"secret"}),
                "behind": state.behind,
                "waiting_since": state.waiting_since,
            }
            for state in webhook_states(session)
        ]
    if as_json:
        print_json([{name: row[name] for name in _COLUMNS} for row in rows])
        return
    for row in rows:
        row["kinds"] = " ".join(row["kinds"]) or "all"
    print_rows(rows, _COLUMNS, as_json, _NONE)


@app.command()
def remove(context: typer.Context, name: WebhookName) -> None:
    """Forget a webhook."""
    from arcuate.node import open_node
    from core.webhooks import remove_webhook

    with open_node(settings_of(context)).database.transaction() as session:
        remove_webhook(session, name)
    typer.echo(f"{name} is told nothing any more.")


@app.command()
def enable(context: typer.Context, name: WebhookName) -> None:
    """Go on telling a webhook, with what happened meanwhile."""
    _enable(context, name, enabled=True)


@app.command()
def disable(context: typer.Context, name: WebhookName) -> None:
    """Tell a webhook nothing until it is enabled again."""
    _enable(context, name, enabled=False)


@app.command()
def test(context: typer.Context, name: WebhookName) -> None:
    """Send one test message from here, now; exit code 1 if it was not taken."""
    from arcuate.node import open_node
    from core.clock import utc_now
    from core.webhooks import find_webhook
    from dicom_node.webhooks.message import trial_message
    from dicom_node.webhooks.posting import Poster, trusted

    settings = settings_of(context)
    with open_node(settings).database.reading() as session:
        row = find_webhook(session, name)
    with Poster(row.url, row.secret, settings, trusted(settings)) as poster:
        poster.post(trial_message(name, utc_now()))
    typer.echo(f"{name} took the test message.")


def _enable(context: typer.Context, name: str, *, enabled: bool) -> None:
    from arcuate.node import open_node
    from core.webhooks import enable_webhook

    with open_node(settings_of(context)).database.transaction() as session:
        enable_webhook(session, name, enabled=enabled)
    typer.echo(f"{name} is {'enabled' if enabled else 'disabled'}.")
