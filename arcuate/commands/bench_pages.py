"""`arcuate bench pages`: what people wait for a page while scans come in."""

import json
import signal
from pathlib import Path
from typing import Annotated

import typer

from arcuate.commands.context import print_rows
from arcuate.commands.status_line import StatusLine

_COLUMNS = ("page", "asked", "p50 ms", "p95 ms", "longest ms")


def pages(
    studies: Annotated[
        int, typer.Option(min=1, help="In the record, each with a result of both eyes.")
    ] = 100_000,
    people: Annotated[int, typer.Option(min=1, help="Who click, one to three seconds apart.")] = 20,
    scans_a_minute: Annotated[float, typer.Option(min=1, help="That come in meanwhile.")] = 50,
    seconds: Annotated[float, typer.Option(min=1, help="For how long.")] = 120,
    folder: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="On the disk to measure; else temporary."),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write every answer's time to this file.")
    ] = None,
) -> None:
    """Let people click through the pages of a node on SQLite while scans come in."""
    from arcuate.bench.pages.measurement import PageMeasurement
    from arcuate.bench.query.population import Population
    from arcuate.demo_expectations import samples_folder

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    healthy, line = samples_folder() / "healthy", StatusLine()
    measurement = PageMeasurement(
        files=[healthy / "right_oct.dcm", healthy / "right_localizer_op.dcm"],
        population=Population(studies),
        people=people,
        scans_a_minute=scans_a_minute,
        seconds=seconds,
        folder=folder,
    )
    figures = measurement.figures(line.show)
    line.clear()
    typer.echo(
        f"{studies} studies, {people} people for {seconds:.0f} s, "
        f"{figures.scans} scans came, {figures.scored} of them were scored by the end"
    )
    print_rows(figures.rows(), _COLUMNS, as_json=False)
    if json_file is not None:
        json_file.write_text(json.dumps(figures.as_values(), indent=2))
