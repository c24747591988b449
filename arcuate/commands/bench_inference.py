"""`arcuate bench inference`: what a scan costs on its way to a field."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcuate.bench.inference_choices import RuntimeName
from arcuate.commands.context import print_rows, settings_of

if TYPE_CHECKING:
    from core.settings import Settings


def inference(
    context: typer.Context,
    repeats: Annotated[int, typer.Option(min=1, help="How often each stage is run.")] = 20,
    runtimes: Annotated[
        list[RuntimeName] | None,
        typer.Option(
            "--runtime",
            help="Time the network itself on these instead, on the node's device; onnx: on the "
            "processor.",
        ),
    ] = None,
    batches: Annotated[
        list[int] | None,
        typer.Option("--batch", min=1, help="Eyes at a time; 1, 4, 16 and 64 by default."),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.01, help="For each runtime and batch.")] = 6.0,
    model: Annotated[
        str | None, typer.Option(help="NAME[:VERSION]; else the one that scores OCT scans.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the rows of --runtime to this file.")
    ] = None,
) -> None:
    """Time each stage from a circle scan to its profile, or the network on each runtime."""
    if runtimes:
        _time_network(settings_of(context), runtimes, batches, seconds, model, json_file)
    else:
        _time_stages(repeats)


def _time_network(
    settings: "Settings",
    runtimes: list[RuntimeName],
    batches: list[int] | None,
    seconds: float,
    model: str | None,
    json_file: Path | None,
) -> None:
    from arcuate.bench.predictor import COLUMNS, choose_keras_library, measure_predictor
    from inference.loading import active_card, find_card
    from inference.runtimes.network import BATCH_SIZES

    choose_keras_library(runtimes)
    card = find_card(settings, model) if model else active_card(settings)
    sizes = batches or list(BATCH_SIZES)
    rows = list(measure_predictor(card, settings, runtimes, sizes, seconds))
    print_rows(rows, COLUMNS, as_json=False)
    if json_file is not None:
        json_file.write_text(json.dumps(rows, indent=2))


def _time_stages(repeats: int) -> None:
    from arcuate.bench.inference import measure_stages

    figures = measure_stages(repeats)
    for stage, spent_ms in figures.stages_ms.items():
        typer.echo(f"{stage:12s} {spent_ms:6.1f} ms")
    typer.echo(f"{'one scan':12s} {figures.scan_ms:6.1f} ms of processor time, median of {repeats}")
    typer.echo(
        f"cheapest path through one picture: {figures.search_ms:.1f} ms, "
        f"plainly {figures.plain_search_ms:.1f} ms"
    )
