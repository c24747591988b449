"""`arcuate score`: score files without a network."""

import csv
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from arcuate.commands.context import settings_of


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(score)


def score(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(exists=True, help="Files and folders.")],
    out: Annotated[
        Path | None, typer.Option(help="FILE.csv, .jsonl or .parquet; else CSV on the terminal.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="NAME[:VERSION]")] = None,
) -> None:
    """Score files, one row an eye; with --out, eyes the file holds already are left out."""
    from arcuate.score_table import ScoreTable
    from arcuate.scoring import COLUMNS, find_files, score_files
    from inference.loading import load_predictor

    settings = settings_of(context, model=model)
    table = ScoreTable(out) if out else None
    done = table.eye_ids if table else set()
    files = find_files(paths)
    console = Console(stderr=True)
    todo = [path for path in files if str(path) not in done]
    rows = track(
        score_files(files, todo, load_predictor(settings)),
        description="Scoring",
        total=len(todo),
        console=console,
        disable=not console.is_terminal,
    )
    if table is not None:
        console.print(f"{table.extend(rows)} eyes scored, {len(done)} were there already.")
        return
    writer = csv.DictWriter(sys.stdout, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
