"""`arcuate train` and `evaluate`: the reference model's training and figures."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from arcuate.commands.context import print_json, settings_of
from arcuate.commands.models import AsJson

if TYPE_CHECKING:
    from inference.evaluation import Evaluation
    from inference.fitting import Epoch
    from inference.model_card import ModelCard

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
    network: Annotated[
        Literal["retinervenet", "fundus_field"], typer.Option(help="Which model.")
    ] = "retinervenet",
    version: Annotated[str | None, typer.Option(help="Version of the new model.")] = None,
    seed: Annotated[int | None, typer.Option(help="By default the shipped model's.")] = None,
    eyes: Annotated[int | None, typer.Option(min=1000, help="Simulated eyes to train on.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
    tensorboard: Annotated[
        Path | None, typer.Option(help="Folder for TensorBoard's curves.")
    ] = None,
) -> None:
    """Train a reference model on simulated eyes; weights and card are written at the end.

    RetiNerveNet goes on after the last whole epoch when it was interrupted and is started again.
    """
    from dataclasses import replace

    given = {"version": version, "seed": seed, "eyes": eyes, "epochs": epochs}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if network == "fundus_field":
        from inference.fundus_training import FundusTrainingSettings, draw_sets, train_fundus

        if tensorboard is not None:
            raise typer.BadParameter("curves are written of retinervenet only")
        asked = replace(FundusTrainingSettings(destination, bank), **changes)
        typer.echo(f"Simulating {asked.eyes} photographs; {asked.epochs} epochs follow.", err=True)
        card = train_fundus(asked, draw_sets(asked), _report)
    else:
        from inference.training import TrainingSettings
        from inference.training import train as train_model

        settings = replace(TrainingSettings(destination, bank, curves=tensorboard), **changes)
        typer.echo(f"Simulating {settings.eyes} eyes; {settings.epochs} epochs follow.", err=True)
        card = train_model(settings, _report)
    typer.echo(f"{card.folder}  {card.digest}")


def evaluate(
    context: typer.Context,
    bank: Bank = None,
    model: Annotated[str | None, typer.Option(help="NAME[:VERSION]")] = None,
    ablations: Annotated[
        bool, typer.Option(help="Show what each part of the model brings instead: it is trained.")
    ] = False,
    refusals: Annotated[
        bool, typer.Option(help="Count what the model's gate refuses instead.")
    ] = False,
    scans: Annotated[
        bool, typer.Option(help="Measure how well layers are found in simulated B-scans instead.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Measure a model beside its baselines and the noise ceiling, on eyes it never saw."""
    from dataclasses import asdict

    if ablations:
        _ablate(bank, as_json)
        return
    if scans:
        _measure_scans(as_json)
        return
    from inference.evaluation import EvaluationSettings
    from inference.evaluation import evaluate as evaluate_model
    from inference.loading import active_card

    card = active_card(settings_of(context, model=model))
    if refusals:
        _count_refusals(card, bank, as_json)
        return
    found = evaluate_model(card, EvaluationSettings(bank))
    if as_json:
        print_json(asdict(found))
        return
    _print(found)


def _count_refusals(card: "ModelCard", bank: Path | None, as_json: bool) -> None:
    from dataclasses import asdict

    from inference.figures_table import refusal_table
    from inference.refusals import RefusalSettings, measure_refusals

    shares = measure_refusals(card, RefusalSettings(bank))
    if as_json:
        print_json([asdict(share) for share in shares])
        return
    typer.echo(refusal_table(shares))


def _measure_scans(as_json: bool) -> None:
    from dataclasses import asdict

    from inference.figures_table import segmentation_table
    from inference.segmentation_figures import ScanSettings, measure_segmentation

    found = measure_segmentation(ScanSettings())
    if as_json:
        print_json([asdict(row) for row in found])
        return
    typer.echo(segmentation_table(found))
    for row in found:
        if row.quality_correlation is not None:
            typer.echo(
                f"Rank correlation of quality and error, {row.difficulty}: "
                f"{row.quality_correlation:.2f}"
            )


def _report(epoch: "Epoch") -> None:
    typer.echo(
        f"epoch {epoch.number}: loss {epoch.training_loss:.3f}, "
        f"validation MAE {epoch.validation_mae_db:.3f} dB",
        err=True,
    )


def _print(found: "Evaluation") -> None:
    from inference.figures import SEVERITIES
    from inference.figures_table import location_map, tables

    typer.echo(tables(found.figures))
    typer.echo(
        f"MAE of the model at each point, right eye:\n\n{location_map(found.location_mae_db)}"
    )
    typer.echo(
        f"Interval: {100 * found.interval_coverage:.1f} % of single measurements inside, "
        f"median width {found.interval_width_db:.1f} dB."
    )
    by_severity = zip(SEVERITIES, found.interval_coverage_by_severity or (), strict=False)
    typer.echo(", ".join(f"{name} {100 * share:.1f} %" for name, share in by_severity))
    shares = zip(SEVERITIES, found.severity_shares, strict=True)
    typer.echo("Eyes: " + ", ".join(f"{name} {100 * share:.0f} %" for name, share in shares))


def _ablate(bank: Path | None, as_json: bool) -> None:
    from dataclasses import asdict

    from inference.ablations import AblationSettings, ablate
    from inference.figures_table import tables

    found = ablate(
        AblationSettings(bank),
        lambda row: typer.echo(f"{row.predictor}: MAE {row.mae_db:.3f} dB", err=True),
    )
    if as_json:
        print_json([asdict(row) for row in found])
        return
    typer.echo(tables(found))
