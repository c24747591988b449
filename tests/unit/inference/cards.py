"""Builds small model folders for the tests of card, store and predictor."""

from pathlib import Path

from core.perimetry.norms import NORM_AGE_RANGE_YEARS
from core.values.fundus import FUNDUS_SHAPE
from inference.intervals import IntervalTable
from inference.model_card import Figures, ModelCard, ModelInput, ModelKind
from inference.model_card_writer import write_card
from inference.weights import weights_digest

_STRUCTURES = {
    ModelKind.PROFILE: ModelInput("profile", (768, 1), "µm"),
    ModelKind.FUNDUS: ModelInput("fundus", FUNDUS_SHAPE, "1"),
}


def make_model(
    root: Path,
    name: str = "phantom",
    version: str = "1.0.0",
    kind: ModelKind = ModelKind.PROFILE,
    content: bytes | None = None,
    exist_ok: bool = False,
) -> ModelCard:
    """Write a model whose weights are a few bytes, and return its card."""
    folder = root / f"{name}-{version}"
    folder.mkdir(parents=True, exist_ok=exist_ok)
    weights = folder / "phantom.keras"
    weights.write_bytes(content or f"weights of {name} {version}".encode())
    card = ModelCard(
        folder=folder,
        name=name,
        version=version,
        digest=weights_digest(weights),
        weights=weights.name,
        inputs=(_STRUCTURES[kind], ModelInput("age", (1,), "year")),
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
