"""The card of a model: what it is, what it may be used for, and how good it was found to be.

Kept as `card.toml` beside the weights. Reading it loads no TensorFlow.
"""

import hashlib
import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from core.values.prediction import ModelIdentity
from inference.errors import ModelDamaged
from inference.intervals import IntervalTable

CARD_FILE: Final = "card.toml"


class ModelKind(StrEnum):
    """What a model reads; the name of its first input."""

    #: Nerve fibre layer thickness around the disc.
    PROFILE = "profile"
    #: The retina around the disc in a photograph, unrolled.
    FUNDUS = "fundus"


@dataclass(frozen=True)
class ModelInput:
    """One input of a network: its name, the shape of one example, and its unit."""

    name: str
    shape: tuple[int, ...]
    unit: str


@dataclass(frozen=True)
class Figures:
    """How far one predictor was off, on simulated eyes of patients it never saw, in dB.

    Attributes
    ----------
    predictor
        The model, or the baseline beside it.
    mae_db, rmse_db
        Mean absolute and root mean square error over all points, against one measurement.
    mean_sensitivity_mae_db
        Mean absolute error of the mean of the 52 points.
    early_mae_db, moderate_mae_db, advanced_mae_db
        The first by true mean deviation: to -6 dB, to -12 dB, below. None where no eye was so.
    """

    predictor: str
    mae_db: float
    rmse_db: float
    mean_sensitivity_mae_db: float
    early_mae_db: float | None = None
    moderate_mae_db: float | None = None
    advanced_mae_db: float | None = None


@dataclass(frozen=True)
class ModelCard:
    """What is known of one version of a model.

    Attributes
    ----------
    folder
        Where card and weights lie; not part of the card's text.
    digest
        `sha256:` and the hexadecimal digest of the weights file.
    trained_age_range_years
        Youngest and oldest simulated eye it was trained on.
    norm_age_range_years
        Ages of the people behind the norm its results are compared with.
    interval_coverage
        Share of measurements of the evaluation's eyes that lay inside the interval.
    """

    folder: Path
    name: str
    version: str
    digest: str
    weights: str
    inputs: tuple[ModelInput, ...]
    output_layer: str
    output_unit: str
    intended_use: str
    not_for: tuple[str, ...]
    notice: str
    training_data: str
    simulator: str
    trained_age_range_years: tuple[float, float]
    norm: str
    norm_age_range_years: tuple[float, float]
    licence: str
    seed: int
    intervals: IntervalTable
    interval_coverage: float | None = None
    figures: tuple[Figures, ...] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\d+(\.\d+)*", self.version):
            raise ValueError(f"A version is numbers and dots, not {self.version!r}.")
        if Path(self.weights).name != self.weights:
            raise ValueError("The weights lie beside the card; their entry is a plain file name.")

    @property
    def kind(self) -> ModelKind:
        """What the model reads."""
        return ModelKind(self.inputs[0].name)

    @property
    def weights_path(self) -> Path:
        """The weights file beside the card."""
        return self.folder / self.weights

    @property
    def identity(self) -> ModelIdentity:
        """Name, version and digest, as every prediction carries them."""
        return ModelIdentity(self.name, self.version, self.digest)

    def verify_weights(self) -> None:
        """Compare the weights with the digest.

        Raises
        ------
        ModelDamaged
            If the weights are missing or are not those the card describes.
        """
        label = f"{self.name} {self.version}"
        try:
            found = weights_digest(self.weights_path)
        except OSError as error:
            raise ModelDamaged(
                f"The weights of {label} cannot be read ({error.strerror}). "
                "Install the model again."
            ) from error
        if found != self.digest:
            raise ModelDamaged(
                f"The weights of {label} have digest {found}, its card says {self.digest}. "
                "They were changed after the card was written: install the model again."
            )


def weights_digest(path: Path) -> str:
    """Return `sha256:` and the hexadecimal digest of a file."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def read_card(folder: Path) -> ModelCard:
    """Return the card in that folder; the weights are not looked at.

    Raises
    ------
    ModelDamaged
        If the card is missing, is not TOML, or lacks an entry.
    """
    try:
        text = (folder / CARD_FILE).read_text(encoding="utf-8")
        return _card(folder, tomllib.loads(text))
    except OSError as error:
        raise ModelDamaged(
            f"The model folder {folder.name} has no readable {CARD_FILE} ({error.strerror}). "
            "Install the model again, or remove the folder."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise ModelDamaged(
            f"The card of the model folder {folder.name} is not valid: {error!r}. "
            "Install the model again, or remove the folder."
        ) from error


def _card(folder: Path, entries: dict[str, Any]) -> ModelCard:
    plain = {key: _tupled(value) for key, value in entries.items() if not _is_table(value)}
    return ModelCard(
        folder=folder,
        **plain,
        inputs=tuple(ModelInput(**_tupled_entries(entry)) for entry in entries["inputs"]),
        intervals=IntervalTable(**_tupled_entries(entries["intervals"])),
        figures=tuple(Figures(**entry) for entry in entries.get("figures", [])),
    )


def _is_table(value: object) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(entry, dict) for entry in value)
    )


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _tupled_entries(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: _tupled(value) for key, value in entry.items()}
