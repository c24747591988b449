"""`arcuate bench`: measurements anyone can run."""

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Measure this installation.", no_args_is_help=True)


@app.callback()
def explain() -> None:
    """Measure this installation."""


@app.command()
def pipeline(
    files: Annotated[
        list[Path] | None, typer.Argument(exists=True, help="Scan, then its localizer.")
    ] = None,
    scans: Annotated[int, typer.Option(min=1, help="How many to measure.")] = 20,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the single figures to this file.")
    ] = None,
) -> None:
    """Time single scans from the C-STORE response to a prediction that REST can read."""
    from arcuate.bench.pipeline import measure_pipeline
    from arcuate.demo_expectations import samples_folder

    if not files:
        healthy = samples_folder() / "healthy"
        files = [healthy / "right_oct.dcm", healthy / "right_localizer_op.dcm"]
    figures = measure_pipeline(files, scans)
    ordered = sorted(figures.latencies_seconds)
    typer.echo(
        f"{scans} scans, warm: median {figures.median_seconds:.3f} s, "
        f"shortest {ordered[0]:.3f} s, longest {ordered[-1]:.3f} s"
    )
    if json_file is not None:
        json_file.write_text(json.dumps({"latencies_seconds": figures.latencies_seconds}))


@app.command()
def inference(
    repeats: Annotated[int, typer.Option(min=1, help="How often each stage is run.")] = 20,
) -> None:
    """Time each stage from a circle scan to its profile, and the search beside a plain one."""
    from arcuate.bench.inference import measure_stages

    figures = measure_stages(repeats)
    for stage, spent_ms in figures.stages_ms.items():
        typer.echo(f"{stage:12s} {spent_ms:6.1f} ms")
    typer.echo(f"{'one scan':12s} {figures.scan_ms:6.1f} ms of processor time, median of {repeats}")
    typer.echo(
        f"cheapest path through one picture: {figures.search_ms:.1f} ms, "
        f"plainly {figures.plain_search_ms:.1f} ms"
    )
