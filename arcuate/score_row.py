"""One row of scores: what is written of one eye."""

from typing import Any, Final

from core.score_columns import COLUMNS as RESULT_COLUMNS
from core.score_columns import DECIMALS, NUMBERS
from core.values.prediction import FieldEstimate, ModelIdentity
from inference.examination import Examination
from inference.outcome import deviations_of

Row = dict[str, Any]

#: `input_digest` is the SHA-256 of the file, or of the line, that the row was made from.
COLUMNS: Final = (*RESULT_COLUMNS, "input_digest")


def failed_row(eye_id: str, digest: str, model: ModelIdentity, cause: str) -> Row:
    """Return the row of an eye that could not even be examined."""
    row = _empty_row(eye_id, digest, model)
    return {**row, "status": "failed", "reasons": " ".join(cause.split())}


def scored_row(
    eye_id: str,
    digest: str,
    model: ModelIdentity,
    examination: Examination,
    estimate: FieldEstimate | None,
) -> Row:
    """Return the row of an examined eye; without an estimate it says why."""
    row = _empty_row(eye_id, digest, model)
    row["laterality"] = examination.laterality and examination.laterality.value
    row["reasons"] = " ".join(reason.code for reason in examination.reasons)
    row["explanation"] = " ".join(reason.message for reason in examination.reasons)
    if examination.profile is not None and examination.scan is not None:
        row["profile_from"] = examination.scan.kind.value
    difference = deviations_of(examination, estimate)
    if estimate is None or difference is None:
        return {**row, "status": "not_assessable"}
    values = (*estimate.sensitivities_db, *estimate.lower_db, *estimate.upper_db)
    numbers = zip(NUMBERS, (*values, difference.mean_deviation_db), strict=True)
    return {**row, **{name: round(float(value), DECIMALS) for name, value in numbers}}


def _empty_row(eye_id: str, digest: str, model: ModelIdentity) -> Row:
    return {
        **dict.fromkeys(COLUMNS),
        "eye_id": eye_id,
        "status": "final",
        # No reader of this table may take it for a measurement.
        "estimated": True,
        "model": model.name,
        "model_version": model.version,
        "model_digest": model.digest,
        "input_digest": digest,
    }
