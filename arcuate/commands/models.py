"""`arcuate models`: the model store."""

from typing import Annotated

import typer

from arcuate.commands.context import print_json, print_rows, settings_of

app = typer.Typer(help="The models that can score.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="For a program to read.")]


@app.command(name="list")
def list_models(context: typer.Context, as_json: AsJson = False) -> None:
    """List the models, with the one that scores marked."""
    from inference.loading import active_card, open_model_store

    settings = settings_of(context)
    active = active_card(settings)
    rows = [
        {
            "name": card.name,
            "version": card.version,
            "active": card.digest == active.digest,
            "digest": card.digest,
        }
        for card in open_model_store(settings).list()
    ]
    print_rows(rows, ["name", "version", "active", "digest"], as_json)


@app.command()
def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="NAME[:VERSION]")],
    _as_json: AsJson = True,
) -> None:
    """Show a model's card as JSON: what it is for, what it was trained on, its figures."""
    from dataclasses import asdict

    from inference.loading import find_card, open_model_store

    print_json(asdict(find_card(open_model_store(settings_of(context)), name)))
