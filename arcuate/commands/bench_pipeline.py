"""`arcuate bench pipeline`: from the C-STORE of a scan to its result."""

import json
import signal
from pathlib import Path
from typing import Annotated

import typer

from arcuate.bench.scoring.choices import ScoringPeer
from arcuate.commands.context import print_rows
from arcuate.commands.status_line import StatusLine


def pipeline(
    files: Annotated[
        list[Path] | None, typer.Argument(exists=True, help="Scan, then its localizer.")
    ] = None,
    scans: Annotated[int, typer.Option(min=1, help="How many in each run.")] = 100,
    runs: Annotated[int, typer.Option(min=1, help="Of each, in turn.")] = 3,
    peers: Annotated[
        list[ScoringPeer] | None,
        typer.Option(
            "--peer",
            help="Who is measured beside us; plain: Orthanc, asked for its changes, and Keras' "
            "model.predict, with our preparation.",
        ),
    ] = None,
    studies: Annotated[
        int, typer.Option(min=0, help="In our record beforehand, ten instances each.")
    ] = 0,
    processes: Annotated[
        int, typer.Option(min=-1, help="That prepare scans; -1: as the settings' default.")
    ] = -1,
    folder: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="On the disk to measure; else temporary."),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write every single figure to this file.")
    ] = None,
) -> None:
    """Time scans from the C-STORE response to the recorded result, one by one and many."""
    from arcuate.bench.scoring.measurement import COLUMNS, ScoringMeasurement
    from arcuate.demo_expectations import samples_folder

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    healthy, line = samples_folder() / "healthy", StatusLine()
    measurement = ScoringMeasurement(
        files=files or [healthy / "right_oct.dcm", healthy / "right_localizer_op.dcm"],
        scans=scans,
        runs=runs,
        with_plain=bool(peers),
        studies=studies,
        processes=processes,
        folder=folder,
    )
    figures = measurement.figures(line.show)
    line.clear()
    print_rows(figures.rows(), COLUMNS, as_json=False)
    for text in figures.conclusions():
        typer.echo(text)
    if json_file is not None:
        json_file.write_text(json.dumps(figures.as_values(), indent=2))
