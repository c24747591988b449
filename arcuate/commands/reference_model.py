"""`arcuate train` and `evaluate`: the reference model's training and figures."""

from pathlib import Path
from typing import Annotated

import typer

from arcuate.commands.context import print_json, settings_of
from arcuate.commands.models import AsJson

Bank = Annotated[
    Path | None,
    typer.Option(
        exists=True, help="File uwhvf_td_bank.npz of real loss patterns; else simulated wedges."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(train)
    app.command()(evaluate)


def train(
    destination: Annotated[Path, typer.Argument(help="Folder the model's folder is made in.")],
    bank: Bank = None,
    version: Annotated[str, typer.Option(help="Version of the new model.")] = "1.0.0",
    seed: Annotated[int | None, typer.Option(help="By default the shipped model's.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
) -> None:
    """Train the reference model on simulated eyes; weights and card are written at the end."""
    from dataclasses import replace

    from inference.training import Epoch, TrainingSettings
    from inference.training import train as train_model

    def report(epoch: Epoch) -> None:
        typer.echo(
            f"epoch {epoch.number}: loss {epoch.training_loss:.3f}, "
            f"validation MAE {epoch.validation_mae_db:.3f} dB",
            err=True,
        )

    settings = TrainingSettings(destination, bank, version=version)
    settings = replace(settings, seed=seed or settings.seed, epochs=epochs or settings.epochs)
    card = train_model(settings, report)
    typer.echo(f"{card.folder}  {card.digest}")


def evaluate(
    context: typer.Context,
    bank: Bank = None,
    model: Annotated[str | None, typer.Option(help="NAME[:VERSION]")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure a model beside its baselines and the noise ceiling, on eyes it never saw."""
    from dataclasses import asdict

    from inference.evaluation import EvaluationSettings
    from inference.evaluation import evaluate as evaluate_model
    from inference.loading import active_card

    found = evaluate_model(active_card(settings_of(context, model=model)), EvaluationSettings(bank))
    if as_json:
        print_json(asdict(found))
        return
    typer.echo(found.as_markdown())
    typer.echo(
        f"Interval: {100 * found.interval_coverage:.1f} % of single measurements inside, "
        f"median width {found.interval_width_db:.1f} dB."
    )
