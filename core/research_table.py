"""Results of researchers as rows of a table: flat, one an eye and scan."""

import math
from collections.abc import Mapping
from typing import Final

from core.csv_text import neutral
from core.values.prediction import FIELD_POINTS, FieldDeviations, FieldEstimate
from core.values.profile import PROFILE_ANGLES_DEGREE
from core.values.research_result import ResearchResult

Cell = str | float | int | bool | None

_POINTS: Final = range(1, FIELD_POINTS + 1)
_SAMPLES: Final = range(len(PROFILE_ANGLES_DEGREE))
#: Columns of 52 numbers in dB, right-eye order, by their prefix.
_FIELDS: Final = ("s", "lower", "upper", "total_deviation_", "pattern_deviation_")
_INDICES: Final = ("mean_deviation_db", "mean_sensitivity_db", "pattern_standard_deviation_db")
TEXTS: Final = (
    *("result", "patient", "study_instance_uid", "sop_instance_uid", "sex", "laterality"),
    *("acquired_on", "status", "reasons", "scan_kind", "manufacturer", "device_model"),
    *("model", "model_version", "model_digest", "review"),
)
#: Columns of numbers: dB, micrometre, years, or a share.
NUMBERS: Final = (
    *("age_years", "quality_score"),
    *_INDICES,
    *(f"{prefix}{point}" for prefix in _FIELDS for point in _POINTS),
    *(f"p{sample:03d}" for sample in _SAMPLES),
)
#: `estimated` stands in every row: no reader of the table may take it for a measurement.
COLUMNS: Final = (*TEXTS, "estimated", *NUMBERS)
_DECIMALS: Final = 3


def row_of(result: ResearchResult) -> dict[str, Cell]:
    """Return a result as a row, all columns of it."""
    model, estimate, deviations = result.model, result.estimate, result.deviations
    texts = {
        **{name: getattr(result, name, None) for name in TEXTS},
        "reasons": " ".join(result.reasons),
        "acquired_on": result.acquired_on and result.acquired_on.isoformat(),
        "model": model.name,
        "model_version": model.version,
        "model_digest": model.digest,
    }
    row: dict[str, Cell] = dict.fromkeys(COLUMNS)
    row |= {name: None if text is None else str(text) for name, text in texts.items()}
    row |= {"estimated": True, "age_years": result.age_years}
    row["quality_score"] = _number(result.quality_score)
    row |= {name: _number(getattr(deviations, name, None)) for name in _INDICES}
    if estimate is not None and deviations is not None:
        row |= _field_columns(estimate, deviations)
    if result.thickness_um is not None:
        samples = zip(_SAMPLES, result.thickness_um, strict=True)
        row |= {f"p{sample:03d}": _number(thickness) for sample, thickness in samples}
    return row


def spreadsheet_row(row: Mapping[str, Cell]) -> dict[str, Cell]:
    """Return a row whose texts no spreadsheet takes for formulas: an apostrophe stands before."""
    return {name: neutral(cell) if isinstance(cell, str) else cell for name, cell in row.items()}


def _field_columns(estimate: FieldEstimate, deviations: FieldDeviations) -> dict[str, Cell]:
    fields = (
        *(estimate.sensitivities_db, estimate.lower_db, estimate.upper_db),
        *(deviations.total_deviation_db, deviations.pattern_deviation_db),
    )
    return {
        f"{prefix}{point}": _number(value)
        for prefix, values in zip(_FIELDS, fields, strict=True)
        for point, value in zip(_POINTS, values, strict=True)
    }


def _number(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else round(float(value), _DECIMALS)
