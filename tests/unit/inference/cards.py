"""Builds small model folders for the tests of card, store and predictor."""

from pathlib import Path

from core.perimetry.norms import NORM_AGE_RANGE_YEARS
from inference.intervals import IntervalTable
from inference.model_card import Figures, ModelCard, ModelInput
from inference.model_card_writer import write_card
from inference.weights import weights_digest


def make_model(root: Path, name: str = "phantom", version: str = "1.0.0") -> ModelCard:
    """Write a model whose weights are a few bytes, and return its card."""
    folder = root / f"{name}-{version}"
    folder.mkdir(parents=True)
    weights = folder / "phantom.keras"
    weights.write_bytes(b"weights of " + version.encode())
    card = ModelCard(
        folder=folder,
        name=name,
        version=version,
        digest=weights_digest(weights),
        weights=weights.name,
        inputs=(ModelInput("profile", (768, 1), "µm"), ModelInput("age", (1,), "year")),
        output_layer="dense_1",
        output_unit="dB",
        intended_use='Tests of the "store"',
        not_for=("patients", "anything else"),
        notice="An estimate.",
        training_data="None.",
        simulator="None.",
        trained_age_range_years=(20.0, 92.0),
        norm="SUNY-IU",
        norm_age_range_years=NORM_AGE_RANGE_YEARS,
        licence="Project licence",
        seed=7,
        intervals=IntervalTable(0.9, (20.0,), (-9.0, -5.0), (8.0, 4.0)),
        interval_coverage=0.901,
        figures=(Figures("location mean", 4.4, 6.7, 3.7, 3.2, 6.1),),
    )
    write_card(card)
    return card
