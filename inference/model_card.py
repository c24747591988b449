"""The card of a model: what it is, what it may be used for, and how good it was found to be.

Kept as `card.toml` beside the weights. Reading it loads no TensorFlow.
"""

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Final, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from core.perimetry.norms import NORM_AGE_RANGE_YEARS, NORM_NAME
from core.values.prediction import ModelIdentity
from inference.card_rules import (
    check_gate,
    check_identity,
    check_inputs,
    check_stated_precision,
    check_weights_name,
)
from inference.errors import ModelDamaged
from inference.intervals import IntervalTable
from inference.precisions import Precision, PrecisionCheck
from inference.weights import weights_digest

CARD_FILE: Final = "card.toml"
_STRICT: Final = ConfigDict(extra="forbid", allow_inf_nan=False)


class ModelKind(StrEnum):
    """What a model reads; the name of its first input."""

    #: Nerve fibre layer thickness around the disc.
    PROFILE = "profile"
    #: The retina around the disc in a photograph, unrolled.
    FUNDUS = "fundus"


class ModelFormat(StrEnum):
    """How the weights are kept."""

    #: One `.keras` file.
    KERAS = "keras"
    #: A TensorFlow SavedModel folder.
    SAVEDMODEL = "savedmodel"
    #: One `.onnx` file.
    ONNX = "onnx"


@dataclass(frozen=True)
class ModelInput:
    """One input of a network: its name, the shape of one example, and its unit."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    name: str
    shape: tuple[int, ...]
    unit: str


@dataclass(frozen=True)
class Figures:
    """How far one predictor was off, on eyes it never saw, in dB.

    Attributes
    ----------
    predictor
        The model, or the baseline beside it.
    mae_db, rmse_db
        Mean absolute and root mean square error over all points, against one measurement.
    mean_sensitivity_mae_db, mean_deviation_mae_db
        Mean absolute error of the mean of the 52 points, and of their weighted mean deviation.
    early_mae_db, moderate_mae_db, advanced_mae_db
        The first by true mean deviation: to -6 dB, to -12 dB, below. None where no eye was so.
    measured_on
        Which eyes, for people: rows that name the same ones are one table.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    predictor: str
    mae_db: float
    rmse_db: float
    mean_sensitivity_mae_db: float
    early_mae_db: float | None = None
    moderate_mae_db: float | None = None
    advanced_mae_db: float | None = None
    mean_deviation_mae_db: float | None = None
    measured_on: str = ""


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What is known of one version of a model.

    Attributes
    ----------
    folder
        Where card and weights lie; not part of the card's text.
    digest
        `sha256:` and the hexadecimal digest of the weights, a file or a folder beside the card.
    inputs
        The structure the model reads, then the age where it takes one.
    limits
        What its results are known to be weak at, for people.
    trained_age_range_years
        Youngest and oldest eye it was trained on; an eye outside is refused.
    without_age
        What happens to an eye without age: it is refused. No age is ever made up.
    norm, norm_age_range_years
        The norm its results are compared with, and the ages of the people behind it.
    gate, gate_digest
        The file beside the card that knows which inputs the model was made for, and its digest;
        None where every input of the right shape is taken.
    precision, precision_check
        In what numbers it computes on a GPU, and what less than float32 was measured to change.
    interval_coverage, interval_coverage_by_severity
        Share of measurements of the evaluation's eyes that lay inside the interval; in early,
        moderate and advanced loss.
    interval_width_db
        Median width of those intervals.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    folder: Path
    name: str
    version: str
    digest: str
    weights: str
    format: ModelFormat = ModelFormat.KERAS
    inputs: tuple[ModelInput, ...]
    output_layer: str
    output_unit: str
    intended_use: str
    not_for: tuple[str, ...]
    limits: tuple[str, ...] = ()
    notice: str
    training_data: str
    simulator: str = ""
    trained_age_range_years: tuple[float, float]
    without_age: Literal["refuse"] = "refuse"
    norm: str = NORM_NAME
    norm_age_range_years: tuple[float, float] = NORM_AGE_RANGE_YEARS
    licence: str
    seed: int | None = None
    gate: str | None = None
    gate_digest: str | None = None
    precision: Precision = Precision.FLOAT32
    precision_check: PrecisionCheck | None = None
    intervals: IntervalTable
    interval_coverage: float | None = None
    interval_coverage_by_severity: tuple[float, float, float] | None = None
    interval_width_db: float | None = None
    figures: tuple[Figures, ...] = ()

    def __post_init__(self) -> None:
        check_identity(self.name, self.version, self.digest)
        check_weights_name(self.weights, self.format)
        check_inputs([(entry.name, entry.shape, entry.unit) for entry in self.inputs])
        check_gate(self.gate, self.gate_digest)
        check_stated_precision(self.precision, self.format, self.precision_check is not None)
        if (self.output_layer, self.output_unit) != ("dense_1", "dB"):
            raise ValueError('the output is output_layer = "dense_1" with output_unit = "dB"')
        if self.gate is not None and self.kind is not ModelKind.PROFILE:
            raise ValueError("a gate is for models that read profiles")
        youngest, oldest = self.trained_age_range_years
        if not 0 <= youngest < oldest:
            raise ValueError("trained_age_range_years is the youngest age, then the oldest")

    @property
    def kind(self) -> ModelKind:
        """What the model reads."""
        return ModelKind(self.inputs[0].name)

    @property
    def weights_path(self) -> Path:
        """The weights beside the card."""
        return self.folder / self.weights

    @property
    def gate_path(self) -> Path | None:
        """The gate beside the card; None where it has none."""
        return None if self.gate is None else self.folder / self.gate

    @property
    def identity(self) -> ModelIdentity:
        """Name, version and digest, as every prediction carries them."""
        return ModelIdentity(self.name, self.version, self.digest)

    def verify_weights(self) -> None:
        """Compare the weights, and the gate where there is one, with their digests.

        Raises
        ------
        ModelDamaged
            If a file is missing or is not the one the card describes.
        """
        label = f"{self.name} {self.version}"
        _verify(f"The weights of {label} have", self.weights_path, self.digest)
        if self.gate_path is not None and self.gate_digest is not None:
            _verify(f"The gate of {label} has", self.gate_path, self.gate_digest)


def read_card(folder: Path) -> ModelCard:
    """Return the card in that folder; the weights are not looked at.

    Raises
    ------
    ModelDamaged
        If the card is missing, is not TOML, lacks an entry or has one that means nothing.
    """
    label = f"the model folder {folder.resolve().name}"
    try:
        entries = tomllib.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
        return _CARD.validate_python({**entries, "folder": folder})
    except OSError as error:
        raise ModelDamaged(
            f"There is no readable {CARD_FILE} in {label} ({error.strerror}). "
            "Install the model again, or remove the folder."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise ModelDamaged(
            f"The card of {label} is not valid: {_explain(error)}. "
            "Mend the card, install the model again, or remove the folder."
        ) from error


def _verify(subject: str, path: Path, digest: str) -> None:
    try:
        found = weights_digest(path)
    except OSError as error:
        raise ModelDamaged(
            f"{subject} a file that cannot be read ({error.strerror}). Install the model again."
        ) from error
    if found != digest:
        raise ModelDamaged(
            f"{subject} digest {found}, its card says {digest}. "
            "Files were changed after the card was written: install the model again."
        )


def _explain(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    places = [".".join(map(str, fault["loc"])) or "card" for fault in faults]
    messages = [fault["msg"].removeprefix("Value error, ") for fault in faults]
    return "; ".join(f"{place}: {told}" for place, told in zip(places, messages, strict=True))


_CARD: Final = TypeAdapter(ModelCard)
