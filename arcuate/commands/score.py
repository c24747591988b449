"""`arcuate score`: score files without a network."""

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import track

from arcuate.commands.context import settings_of

if TYPE_CHECKING:
    from arcuate.score_row import Row
    from core.settings import Settings
    from inference.model_card import ModelCard, ModelKind

    Cards = Mapping[ModelKind, ModelCard]

_Item = TypeVar("_Item")

_STATUSES = ("final", "not_assessable", "failed")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(score)


def score(
    context: typer.Context,
    paths: Annotated[
        list[Path] | None, typer.Argument(exists=True, help="DICOM files and folders of them.")
    ] = None,
    profiles: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Score RNFL profiles instead: CSV with eye_id, laterality, age_years and p000 to "
            "p767 in µm, TSNIT, or the six sectors T, TS, NS, N, NI, TI.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="FILE.csv, .jsonl or .parquet; else CSV on standard output."),
    ] = None,
    model: Annotated[str | None, typer.Option(help="NAME[:VERSION]")] = None,
) -> None:
    """Score files, one row an eye, estimated; eyes that --out holds already are left out."""
    from arcuate.role_logs import configure_role_logs
    from arcuate.score_table import ScoreTable, write_csv
    from inference.loading import scoring_cards

    if bool(paths) == bool(profiles):
        raise typer.BadParameter("give either scans or --profiles FILE.csv")
    settings = settings_of(context)
    if settings.cpu_runtime != "tensorflow":
        # Why another runtime is not used goes to standard error: rows may go to standard output.
        configure_role_logs(settings.model_copy(update={"log_level": "warning"}), "score")
    table = ScoreTable(out) if out else None
    cards = scoring_cards(settings, model)
    done = (
        {eye for card in cards.values() for eye in table.eye_ids(card.digest)} if table else set()
    )
    rows = (
        _profile_rows(profiles, done, cards, settings)
        if profiles
        else _rows(paths or [], done, cards, settings)
    )
    added = table.extend(rows) if table else write_csv(rows, sys.stdout)
    _conclude(added, done)


def _rows(
    paths: Sequence[Path], done: set[str], cards: "Cards", settings: "Settings"
) -> "Iterable[Row]":
    from arcuate.dicom_files import find_files
    from arcuate.scoring import score_files
    from inference.scorers import load_scorers

    files = find_files(paths)
    todo = [path for path in files if str(path) not in done]
    return score_files(files, _tracked(todo), load_scorers(cards, settings)) if todo else ()


def _profile_rows(
    path: Path, done: set[str], cards: "Cards", settings: "Settings"
) -> "Iterable[Row]":
    from arcuate.profile_table import read_lines
    from arcuate.profiles import score_profiles
    from inference.model_card import ModelKind
    from inference.scorers import load_scorers

    if ModelKind.PROFILE not in cards:
        raise typer.BadParameter("this model reads photographs: name one that reads profiles")
    todo = [line for line in read_lines(path) if line.eye_id not in done]
    if not todo:
        return ()
    scorers = load_scorers({ModelKind.PROFILE: cards[ModelKind.PROFILE]}, settings)
    return score_profiles(_tracked(todo), scorers.active[ModelKind.PROFILE])


def _tracked(todo: Sequence[_Item]) -> Iterable[_Item]:
    console = Console(stderr=True)
    return track(todo, "Scoring", console=console, disable=not console.is_terminal)


def _conclude(added: "Sequence[Row]", done: set[str]) -> None:
    """Say how it went; exit code 1 where there was nothing to score, or nothing could be read."""
    counts = Counter(row["status"] for row in added)
    words = [f"{counts[status]} {status.replace('_', ' ')}" for status in _STATUSES]
    typer.echo(f"Eyes: {len(added)} new ({', '.join(words)}), {len(done)} there already.", err=True)
    if not added and not done:
        typer.echo("There was no scan to score.", err=True)
    raise typer.Exit(0 if done or counts["failed"] < len(added) else 1)
