"""Scoring files without a network: one row an eye."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError

from dicom_node.devices.input_class import is_model_input
from dicom_node.devices.reading import read_localizer_reference
from inference.analysis import estimate_fields
from inference.examination import Examination, examine
from inference.outcome import deviations_of
from inference.predictor import Predictor

#: The first columns of a row; the sensitivities and the limits of their intervals follow.
_POINTS: Final = range(1, 53)
COLUMNS: Final = (
    "eye_id",
    "laterality",
    "status",
    "reasons",
    *(f"s{point}" for point in _POINTS),
    *(f"lower{point}" for point in _POINTS),
    *(f"upper{point}" for point in _POINTS),
    "mean_deviation_db",
)

Row = dict[str, Any]


def find_files(paths: Sequence[Path]) -> list[Path]:
    """Return every file in the given files and folders, in a stable order."""
    found = [p for path in paths for p in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    return [path for path in found if path.is_file()]


def score_files(
    files: Sequence[Path], wanted: Sequence[Path], predictor: Predictor
) -> Iterator[Row]:
    """Yield a row for each wanted file that is a scan; pictures and reports give none.

    Localizers are looked for among all the files.
    """
    localizers = {uid: path for path in files if (uid := _instance_uid(path)) is not None}
    for path in wanted:
        try:
            dataset = dcmread(path)
        except (InvalidDicomError, OSError) as error:
            yield _unread_row(path, f"not a readable DICOM file: {type(error).__name__}")
            continue
        if _is_scan(dataset):
            yield _score(path, dataset, localizers, predictor)


def _is_scan(dataset: Dataset) -> bool:
    words = ("SOPClassUID", "Modality", "Manufacturer")
    return is_model_input(*(str(dataset.get(word, "")) for word in words))


def _instance_uid(path: Path) -> str | None:
    try:
        header = dcmread(path, specific_tags=["SOPInstanceUID"], stop_before_pixels=True)
    except (InvalidDicomError, OSError):
        return None
    uid = header.get("SOPInstanceUID")
    return None if uid is None else str(uid)


def _score(path: Path, dataset: Dataset, localizers: dict[str, Path], predictor: Predictor) -> Row:
    reference = localizers.get(read_localizer_reference(dataset) or "")
    localizer = dcmread(reference, stop_before_pixels=True) if reference else None
    examination = examine(dataset, localizer, predictor.card.trained_age_range_years)
    return _row(path, examination, predictor)


def _row(path: Path, examination: Examination, predictor: Predictor) -> Row:
    (estimate,) = estimate_fields(predictor, [examination])
    row = _empty_row(path)
    row["laterality"] = examination.laterality
    row["reasons"] = _joined(reason.code for reason in examination.reasons)
    difference = deviations_of(examination, estimate)
    if estimate is None or difference is None:
        return row
    row["status"] = "final"
    row["mean_deviation_db"] = round(difference.mean_deviation_db, 3)
    for prefix, values in (
        ("s", estimate.sensitivities_db),
        ("lower", estimate.lower_db),
        ("upper", estimate.upper_db),
    ):
        for point, value in zip(_POINTS, values, strict=True):
            row[f"{prefix}{point}"] = round(float(value), 3)
    return row


def _unread_row(path: Path, reason: str) -> Row:
    return {**_empty_row(path), "status": "failed", "reasons": reason}


def _empty_row(path: Path) -> Row:
    return {**dict.fromkeys(COLUMNS), "eye_id": str(path), "status": "not_assessable"}


def _joined(codes: Iterable[str]) -> str:
    return " ".join(codes)
