"""Scoring files on Ray: tasks read and measure them, actors that hold the network predict."""

import json
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from arcuate.ray_session import RayOptions
from arcuate.scan_files import FileToExamine, examine_file, read_header
from arcuate.score_row import Row
from arcuate.scoring import GROUP_SIZE, files_to_examine, score_files, score_group
from core.process_pool import ProcessPool
from core.settings import Settings
from inference.model_card import ModelCard, ModelKind
from inference.scorers import load_scorers

#: Files of one block: what is done again when a process dies.
_BLOCK_FILES: Final = 32

Cards = Mapping[ModelKind, ModelCard]
_Batch = dict[str, Any]


class ScoringActor:
    """Holds the models on one process of the cluster, and predicts what tasks measured."""

    def __init__(self, cards: Cards, settings: Settings) -> None:
        self._scorers = load_scorers(cards, settings)

    def __call__(self, batch: _Batch) -> _Batch:
        """Return the row of each file; an empty one for what is no scan."""
        # From our own tasks: nobody else can put anything there, see RAY_AUTH_MODE.
        group = [(Path(path), pickle.loads(found)) for path, found in _pairs(batch)]  # noqa: S301
        rows = {row["eye_id"]: row for row in score_group(group, self._scorers)}
        told = [json.dumps(rows.get(str(path))) for path, _ in group]
        return {"path": [str(path) for path, _ in group], "row": told}


def score_on_ray(
    ray: Any,
    options: RayOptions,
    files: Sequence[Path],
    wanted: Sequence[Path],
    cards: Cards,
    settings: Settings,
    note: Callable[[int], None],
) -> Iterator[Row]:
    """Yield a row for each wanted file that is a scan or a photograph, as they come.

    Every process of the cluster reads the files under the paths they have here. What a block of
    files was lost with is scored here afterwards, where the guilty one is told from the others.
    """
    done: set[str] = set()
    for path, row in _told(ray, options, _to_examine(ray, files, wanted, cards), cards, settings):
        done.add(path)
        note(1)
        if row is not None:
            yield row
    lost = [path for path in wanted if str(path) not in done]
    if lost:
        with ProcessPool(1) as pool:
            yield from score_files(files, lost, load_scorers(cards, settings), pool, note)


def _to_examine(
    ray: Any, files: Sequence[Path], wanted: Sequence[Path], cards: Cards
) -> list[FileToExamine]:
    limits = {kind: card.trained_age_range_years for kind, card in cards.items()}
    headers = _dataset(ray, [{"path": str(path)} for path in files]).map(_header)
    found = {
        Path(row["path"]): pickle.loads(row["header"])  # noqa: S301 - from our own tasks
        for row in headers.iter_rows()
    }
    return list(files_to_examine(wanted, found, limits))


def _told(
    ray: Any,
    options: RayOptions,
    to_examine: Sequence[FileToExamine],
    cards: Cards,
    settings: Settings,
) -> Iterator[tuple[str, Row | None]]:
    items = [{"path": str(file.path), "file": pickle.dumps(file)} for file in to_examine]
    # Each file is told of, so that what a lost block held is known.
    rows = (
        _dataset(ray, items)
        .map(_examined, num_cpus=1)
        .map_batches(
            ScoringActor,
            fn_constructor_args=(cards, settings),
            batch_size=GROUP_SIZE,
            compute=ray.data.ActorPoolStrategy(size=options.actors),
            num_cpus=0,
            num_gpus=options.gpus,
        )
    )
    for row in rows.iter_rows():
        yield row["path"], json.loads(row["row"])


def _dataset(ray: Any, items: Sequence[_Batch]) -> Any:
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    # What is lost with a block is looked for afterwards.
    context.max_errored_blocks = -1
    blocks = max(1, len(items) // _BLOCK_FILES)
    return ray.data.from_items(list(items), override_num_blocks=min(blocks, len(items) or 1))


def _header(row: _Batch) -> _Batch:
    return {"path": row["path"], "header": pickle.dumps(read_header(Path(row["path"])))}


def _examined(row: _Batch) -> _Batch:
    file = pickle.loads(row["file"])  # noqa: S301 - from the process that began it
    return {"path": row["path"], "found": pickle.dumps(examine_file(file))}


def _pairs(batch: _Batch) -> Iterator[tuple[str, bytes]]:
    return zip(batch["path"], batch["found"], strict=True)
