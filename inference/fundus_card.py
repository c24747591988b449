"""What the card of the model for photographs says, whatever its weights turn out to be."""

from pathlib import Path
from typing import Final

from core.perimetry.norms import NORM_AGE_RANGE_YEARS, NORM_NAME
from core.values.fundus import FUNDUS_SHAPE
from core.values.prediction import ModelIdentity
from inference.intervals import IntervalTable
from inference.model_card import ModelCard, ModelInput, ModelKind
from inference.models.fundus_field import AGE_INPUT, OUTPUT_LAYER
from inference.reference_card import LICENCE
from inference.simulation.fields import AGE_LIMITS_YEARS

_INTENDED_USE: Final = (
    "Research and integration testing: an estimate of the 24-2 visual field from the optic disc "
    "and the nerve fibres around it in a photograph of the fundus of an adult."
)
_NOT_FOR: Final = (
    "diagnosis, treatment or any clinical decision",
    "replacing perimetry, or an OCT scan where there is one",
    "loss that does not come from the nerve fibre layer (stroke, retina, media)",
    "eyes with swollen, tilted or operated discs, other diseases of the retina, children",
    "calling change over time: light, focus and camera change what is seen of the nerve fibres",
)
_LIMITS: Final = (
    "Weaker than a model that reads OCT scans: a photograph does not measure thickness.",
    "Trained and measured on simulated photographs alone; no real photograph was ever used. How "
    "bright nerve fibres are in a photograph, and how the cup follows their loss, are assumptions.",
    "Not validated: how far it is off on real photographs is not known.",
)
_NOTICE: Final = (
    "Estimated from a photograph, not measured. Reference model trained on simulated photographs "
    "only; no real photograph was ever used. Weaker than an estimate from OCT. Not clinically "
    "validated; not for clinical use."
)
_BANK_DATA: Final = (
    "Simulated photographs of simulated eyes paired with real, public total-deviation patterns "
    "(UWHVF, University of Washington, BSD-3-Clause), split by patient; 30 % simulated healthy "
    "fields."
)
_WEDGE_DATA: Final = (
    "Simulated photographs of simulated eyes with wedge-shaped field defects; no patients' data."
)
_SIMULATOR: Final = (
    "Eyes as the simulator of profiles draws them, whose settings were calibrated while looking at "
    "paired clinic data; cup, nerve fibre light and cameras on top of them are this project's "
    "choice. The figures below are on such simulated photographs."
)


def describe_fundus(
    identity: ModelIdentity, weights: Path, seed: int, intervals: IntervalTable, *, has_bank: bool
) -> ModelCard:
    """Return the card of freshly trained weights, before they are measured.

    Parameters
    ----------
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
            ModelInput(str(ModelKind.FUNDUS), FUNDUS_SHAPE, "brightness, striation, vessel, seen"),
            ModelInput(AGE_INPUT, (1,), "year"),
        ),
        output_layer=OUTPUT_LAYER,
        output_unit="dB",
        intended_use=_INTENDED_USE,
        not_for=_NOT_FOR,
        limits=_LIMITS,
        notice=_NOTICE,
        training_data=_BANK_DATA if has_bank else _WEDGE_DATA,
        simulator=_SIMULATOR,
        trained_age_range_years=AGE_LIMITS_YEARS,
        norm=NORM_NAME,
        norm_age_range_years=NORM_AGE_RANGE_YEARS,
        licence=LICENCE,
        seed=seed,
        intervals=intervals,
    )
