"""What made the estimate (TID 4019), and what its numbers mean."""

from highdicom.sr import AlgorithmIdentification

from core.perimetry import norms
from core.values.prediction import Prediction
from reports import codes
from reports.equipment import Equipment
from reports.outcome import Outcome, outcome_of


def algorithm_identification(
    prediction: Prediction, equipment: Equipment
) -> AlgorithmIdentification:
    """Return name, version, family and parameters of the model."""
    return AlgorithmIdentification(
        name=prediction.model.name,
        version=prediction.model.version,
        parameters=algorithm_parameters(prediction),
        family=codes.ARTIFICIAL_INTELLIGENCE,
        manufacturer=equipment.manufacturer,
    )


def algorithm_parameters(prediction: Prediction) -> list[str]:
    """Return one sentence a fact that the numbers cannot be read without."""
    parameters = [prediction.notice, f"Weights: {prediction.model.digest}"]
    if outcome_of(prediction) is Outcome.ESTIMATED:
        parameters.extend(_field_parameters(prediction))
    return [*parameters, *prediction.notes]


def _field_parameters(prediction: Prediction) -> list[str]:
    first, last = norms.NORM_AGE_RANGE_YEARS
    return [
        "0 dB is a stimulus of 10 000 asb (HFA-equivalent); coordinates are degrees from fixation "
        "as the patient sees them, +x right, +y up",
        "Uncertainties are the half widths of a 90 % interval in dB",
        f"Deviations: arithmetic against the {norms.NORM_NAME} age norm of measured fields, people "
        f"aged {first} to {last} years{_age_note(prediction)}; no probability is given",
    ]


def _age_note(prediction: Prediction) -> str:
    if prediction.age_years is None or norms.is_within_norm_age(prediction.age_years):
        return ""
    return "; this patient's age is outside that range, so the norm is extrapolated"
