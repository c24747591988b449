"""A field to draw, and what has to be said beside it."""

from typing import Final

import numpy as np

from core.perimetry import norms
from core.values.laterality import Laterality
from core.values.prediction import FieldDeviations, FieldEstimate, Prediction
from reports.errors import PredictionInconsistent
from reports.outcome import Outcome

#: What stands where a field would, had there been one.
HEADLINES: Final = {
    Outcome.NOT_ASSESSABLE: "This scan could not be assessed: there is no estimated visual field",
    Outcome.FAILED: "Processing failed: there is no estimated visual field",
}


def field_of(prediction: Prediction) -> tuple[FieldEstimate, FieldDeviations, Laterality]:
    """Return what is drawn of a field.

    Raises
    ------
    PredictionInconsistent
        If a part is missing.
    """
    estimate, deviations, eye = prediction.estimate, prediction.deviations, prediction.laterality
    if estimate is None or deviations is None or eye is None:
        raise PredictionInconsistent("The prediction has no complete field to draw")
    return estimate, deviations, eye


def decibel_words(value_db: float) -> str:
    """Return a value to 0.1 dB, with a true minus sign."""
    # Adding zero turns a mean deviation of -0.0 into 0.0.
    return f"{round(value_db, 1) + 0.0:.1f} dB".replace("-", "−")


def index_words(deviations: FieldDeviations) -> tuple[tuple[str, str], ...]:
    """Return name and value of the indices that hold for an estimate."""
    return (
        ("MD", decibel_words(deviations.mean_deviation_db)),
        ("Mean sensitivity", decibel_words(deviations.mean_sensitivity_db)),
    )


def field_notes(estimate: FieldEstimate, age_years: float | None) -> tuple[str, ...]:
    """Return the sentences that no picture of a field goes without."""
    half_width_db = float(np.mean(estimate.upper_db - estimate.lower_db)) / 2
    first, last = norms.NORM_AGE_RANGE_YEARS
    within = age_years is None or norms.is_within_norm_age(age_years)
    ages = f"ages {first} to {last}" + ("" if within else ", EXTRAPOLATED to this age")
    return (
        f"Each value is an estimate: its 90 % interval is ±{half_width_db:.1f} dB on average; "
        "each point's own is in the structured report.",
        f"Deviations are plain arithmetic against the {norms.NORM_NAME} norm of measured fields "
        f"({ages}). Shades are steps of dB (−2, −5, −10, −20), no probabilities: limits of "
        "measured fields do not hold for estimates.",
        "Seen as the patient sees. Triangle and ellipse: blind spot, not estimated.",
    )
