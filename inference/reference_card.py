"""What the card of the reference model says, whatever its weights turn out to be."""

from pathlib import Path
from typing import Final

from core.perimetry.norms import NORM_AGE_RANGE_YEARS, NORM_NAME
from core.values.prediction import ESTIMATE_NOTICE, ModelIdentity
from core.values.profile import PROFILE_SAMPLES
from inference.intervals import IntervalTable
from inference.model_card import ModelCard, ModelInput
from inference.models.ensemble import AGE_INPUT, OUTPUT_LAYER, PROFILE_INPUT
from inference.simulation.fields import AGE_LIMITS_YEARS
from inference.weights import weights_digest

_INTENDED_USE: Final = (
    "Research and integration testing: an estimate of the 24-2 visual field from the retinal nerve "
    "fibre layer on a 12° circle around the optic disc of an adult."
)
_NOT_FOR: Final = (
    "diagnosis, treatment or any clinical decision",
    "replacing perimetry or filling in a missing field test",
    "loss that does not come from the nerve fibre layer (stroke, retina, media)",
    "eyes with swollen, tilted or operated discs, children, circles of another size",
    "calling change over time: its errors are alike from visit to visit",
)
_LIMITS: Final = (
    "the figures are on simulated eyes and say nothing certain about real ones",
    "errors are largest in moderate and advanced loss, where the nerve fibre layer nears its floor",
    "the age norm covers ages 42 to 85; outside it, deviations are extrapolated",
    "pattern standard deviation, hemifield test and VFI of an estimate are not calibrated",
    "the points of the temporal field, served by the nasal disc, deserve little trust",
)
_BANK_DATA: Final = (
    "Simulated profiles paired with real, public total-deviation patterns (UWHVF, University of "
    "Washington, BSD-3-Clause), split by patient; 30 % simulated healthy fields."
)
_WEDGE_DATA: Final = (
    "Simulated profiles paired with simulated wedge-shaped field defects; no patients' data."
)
_SIMULATOR: Final = (
    "The simulator's settings were calibrated while looking at paired clinic data (six sectors and "
    "fields, glaucoma, one device); the figures below are on simulated eyes."
)
#: Of whatever was trained on the bank.
LICENCE: Final = (
    "Project licence. Contains knowledge derived from UWHVF (BSD-3-Clause) and visualFields "
    "(Apache-2.0); their notices are kept in core/perimetry/licences."
)


def describe(
    identity: ModelIdentity,
    weights: Path,
    gate: Path,
    seed: int,
    intervals: IntervalTable,
    *,
    has_bank: bool,
) -> ModelCard:
    """Return the card of freshly trained weights, before they are measured.

    Parameters
    ----------
    weights, gate
        Files in the model's folder.
    has_bank
        Whether they were trained on the bank of real patterns, or on wedges alone.
    """
    return ModelCard(
        folder=weights.parent,
        name=identity.name,
        version=identity.version,
        digest=identity.digest,
        weights=weights.name,
        inputs=(
            ModelInput(PROFILE_INPUT, (PROFILE_SAMPLES, 1), "µm"),
            ModelInput(AGE_INPUT, (1,), "year"),
        ),
        output_layer=OUTPUT_LAYER,
        output_unit="dB",
        intended_use=_INTENDED_USE,
        not_for=_NOT_FOR,
        limits=_LIMITS,
        notice=ESTIMATE_NOTICE,
        training_data=_BANK_DATA if has_bank else _WEDGE_DATA,
        simulator=_SIMULATOR,
        trained_age_range_years=AGE_LIMITS_YEARS,
        norm=NORM_NAME,
        norm_age_range_years=NORM_AGE_RANGE_YEARS,
        licence=LICENCE,
        seed=seed,
        gate=gate.name,
        gate_digest=weights_digest(gate),
        intervals=intervals,
    )
