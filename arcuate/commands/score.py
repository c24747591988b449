"""`arcuate score`: score files without a network."""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcuate.commands.context import settings_of
from arcuate.commands.engines import (
    Actors,
    Engine,
    Gpus,
    Processes,
    RayAddress,
    ray_options,
)
from arcuate.commands.progress import progress

if TYPE_CHECKING:
    from arcuate.profile_table import ProfileLine
    from arcuate.ray_session import RayOptions
    from arcuate.score_row import Row
    from arcuate.score_table import ScoreTable
    from core.settings import Settings
    from inference.model_card import ModelCard, ModelKind

    Cards = Mapping[ModelKind, ModelCard]
    Note = Callable[[int], None]

_STATUSES = ("final", "not_assessable", "failed")
#: Fewer files are read sooner than processes start.
_FEW_FILES = 16


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
    engine: Annotated[Engine, typer.Option(help="Who computes; profiles are scored here.")] = (
        Engine.LOCAL
    ),
    processes: Processes = None,
    ray_address: RayAddress = None,
    actors: Actors = 1,
    gpus_per_actor: Gpus = 0.0,
) -> None:
    """Score files, one row an eye, estimated; eyes that --out holds already are left out."""
    from arcuate.role_logs import configure_role_logs
    from arcuate.score_lines import write_csv
    from arcuate.score_table import ScoreTable
    from inference.loading import scoring_cards

    if bool(paths) == bool(profiles):
        raise typer.BadParameter("give either scans or --profiles FILE.csv")
    settings = settings_of(context)
    if settings.cpu_runtime != "tensorflow":
        # Why another runtime is not used goes to standard error: rows may go to standard output.
        configure_role_logs(settings.model_copy(update={"log_level": "warning"}), "score")
    table = ScoreTable(out) if out else None
    cards = scoring_cards(settings, model)
    if profiles:
        rows, done = _profile_rows(profiles, table, cards, settings)
    else:
        files, todo = _files(paths or [], table, cards)
        done = len(files) - len(todo)
        options = ray_options(ray_address, actors, gpus_per_actor)
        rows = (
            _scored_on_ray(files, todo, cards, settings, options)
            if engine is Engine.RAY
            else _scored(files, todo, cards, settings, processes)
        )
    added = table.extend(rows) if table else write_csv(rows, sys.stdout)
    _conclude(added, done)


def _files(
    paths: Sequence[Path], table: "ScoreTable | None", cards: "Cards"
) -> tuple[list[Path], list[Path]]:
    """Return all files, and those to score."""
    from arcuate.dicom_files import find_files

    files = find_files(paths)
    done = _still_as_scored(table, {str(path) for path in files}, cards) if table else set()
    return files, [path for path in files if str(path) not in done]


def _still_as_scored(table: "ScoreTable", names: set[str], cards: "Cards") -> set[str]:
    """Return the files of which the table holds the rows; those that changed since leave it."""
    from arcuate.scoring import changed_files

    done: set[str] = set()
    for digest in {card.digest for card in cards.values()}:
        known = {eye: made for eye, made in table.digests(digest).items() if eye in names}
        changed = changed_files(known)
        table.drop(changed, digest)
        done |= known.keys() - changed
    return done


def _scored(
    files: Sequence[Path],
    todo: Sequence[Path],
    cards: "Cards",
    settings: "Settings",
    processes: int | None,
) -> "Iterable[Row]":
    from arcuate.scoring import score_files
    from core.process_pool import ProcessPool
    from core.processors import processors
    from inference.scorers import load_scorers

    if not todo:
        return
    usual = 0 if len(todo) < _FEW_FILES else processors()
    scorers = load_scorers(cards, settings)
    pool = ProcessPool(usual if processes is None else processes)
    with pool, progress("Scoring", len(todo)) as note:
        yield from score_files(files, todo, scorers, pool, note)


def _scored_on_ray(
    files: Sequence[Path],
    todo: Sequence[Path],
    cards: "Cards",
    settings: "Settings",
    options: "RayOptions",
) -> "Iterable[Row]":
    from arcuate.ray_scoring import score_on_ray
    from arcuate.ray_session import ray_session

    if not todo:
        return
    with ray_session(options) as ray, progress("Scoring", len(todo)) as note:
        yield from score_on_ray(ray, options, files, todo, cards, settings, note)


def _profile_rows(
    path: Path, table: "ScoreTable | None", cards: "Cards", settings: "Settings"
) -> "tuple[Iterable[Row], int]":
    from arcuate.profile_table import read_lines
    from inference.model_card import ModelKind

    if ModelKind.PROFILE not in cards:
        raise typer.BadParameter("this model reads photographs: name one that reads profiles")
    card = cards[ModelKind.PROFILE]
    known = table.digests(card.digest) if table else {}
    lines = read_lines(path)
    changed = {line.eye_id for line in lines if known.get(line.eye_id) != line.digest}
    if table:
        table.drop(changed, card.digest)
    todo = [line for line in lines if line.eye_id in changed]
    return _scored_profiles(todo, card, settings), len(known.keys() - changed)


def _scored_profiles(
    todo: "Sequence[ProfileLine]", card: "ModelCard", settings: "Settings"
) -> "Iterable[Row]":
    from arcuate.profiles import score_profiles
    from inference.scorers import load_scorer

    if not todo:
        return
    scorer = load_scorer(card, settings)
    with progress("Scoring", len(todo)) as note:
        yield from score_profiles(todo, scorer, note)


def _conclude(added: Counter[str], done: int) -> None:
    """Say how it went; exit code 1 where there was nothing to score, or nothing could be read."""
    words = [f"{added[status]} {status.replace('_', ' ')}" for status in _STATUSES]
    typer.echo(f"Eyes: {added.total()} new ({', '.join(words)}), {done} there already.", err=True)
    if not added and not done:
        typer.echo("There was no scan to score.", err=True)
    raise typer.Exit(0 if done or added["failed"] < added.total() else 1)
