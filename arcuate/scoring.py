"""Scoring files without a network: one row an eye."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from arcuate.scan_files import (
    ExaminedFile,
    FileHeader,
    FileToExamine,
    examine_file,
    file_digest,
    read_header,
)
from arcuate.score_row import Row, failed_row, scored_row
from core.process_pool import ProcessPool, WorkerDied
from core.values.prediction import ModelIdentity
from inference.examination import AgeLimits, Examination
from inference.model_card import ModelKind
from inference.runtimes.network import BATCH_SIZES
from inference.scorers import Scorers

#: Eyes predicted together: a batch size of the network, so that nothing is padded on the way.
GROUP_SIZE: Final = BATCH_SIZES[-2]


def score_files(
    files: Sequence[Path],
    wanted: Sequence[Path],
    scorers: Scorers,
    pool: ProcessPool,
    note: Callable[[int], None] = lambda _: None,
) -> Iterator[Row]:
    """Yield a row for each wanted file that is a scan or a photograph of the fundus.

    Localizers and reports give none. A file that breaks while it is read or scored is a row with
    status `failed` and the cause; the others go on. What belongs to a scan is looked for among all
    the files.

    Parameters
    ----------
    note
        Told how many files are done, as they are.
    """
    headers = {path: _read(path, found) for path, found in pool.results(read_header, files)}
    to_examine = files_to_examine(wanted, headers, scorers.age_limits_years)
    examined = pool.results(examine_file, to_examine)
    while group := list(islice(examined, GROUP_SIZE)):
        yield from score_group([(file.path, _died(found)) for file, found in group], scorers)
        note(len(group))


def files_to_examine(
    wanted: Sequence[Path], headers: Mapping[Path, FileHeader], age_limits_years: AgeLimits
) -> Iterator[FileToExamine]:
    """Yield the wanted files with those that decide about them, found among all headers."""
    by_uid = {header.sop_instance_uid: path for path, header in headers.items()}
    oct_scans: defaultdict[str, list[Path]] = defaultdict(list)
    for path, header in headers.items():
        if header.is_oct_scan:
            oct_scans[header.study_instance_uid].append(path)
    for path in wanted:
        header = headers.get(path, FileHeader(path))
        localizer = by_uid.get(header.localizer_uid) if header.localizer_uid else None
        beside = () if header.is_oct_scan else tuple(oct_scans[header.study_instance_uid])
        yield FileToExamine(path, localizer, beside, age_limits_years)


def score_group(group: Sequence[tuple[Path, ExaminedFile]], scorers: Scorers) -> Iterator[Row]:
    """Yield the rows of some examined files, predicted in one batch."""
    known = [found.examination for _, found in group if found.examination is not None]
    judged = scorers.judged(known)
    scored = zip(judged, scorers.estimate(judged), strict=True)
    for path, found in group:
        if found.failure:
            yield failed_row(str(path), found.digest, _identity(scorers), found.failure)
        elif found.examination is not None:
            examination, estimate = next(scored)
            identity = _identity(scorers, examination)
            yield scored_row(str(path), found.digest, identity, examination, estimate)


def changed_files(known: dict[str, str]) -> set[str]:
    """Return which files hold another content than the digest they are known by."""
    return {path for path, digest in known.items() if file_digest(Path(path)) != digest}


def _died(found: ExaminedFile | WorkerDied) -> ExaminedFile:
    return ExaminedFile("", failure=str(found)) if isinstance(found, WorkerDied) else found


def _read(path: Path, found: FileHeader | WorkerDied) -> FileHeader:
    return FileHeader(path) if isinstance(found, WorkerDied) else found


def _identity(scorers: Scorers, examination: Examination | None = None) -> ModelIdentity:
    """Return the model for an examination, or whichever there is."""
    kind = ModelKind.PROFILE if examination is None else examination.kind
    scorer = scorers.active.get(kind) or next(iter(scorers.active.values()))
    return scorer.identity
