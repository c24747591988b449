"""What a model reads and gives, told from the card that the record keeps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from api.errors import ModelUnknown
from core.database import Database
from core.model_choice import KnownModel, named_model
from core.models import list_models
from core.tables.models import ModelState
from core.values.prediction import FIELD_POINTS

FLOAT: Final = "FP32"
FIELD: Final = "dense_1"
SPREAD: Final = "spread"
AGE: Final = "age"
#: By output: the shape of one eye's.
_SHAPES: Final[Mapping[str, tuple[int, ...]]] = {FIELD: (FIELD_POINTS,), SPREAD: (FIELD_POINTS, 2)}
_PLATFORMS: Final = {"savedmodel": "tensorflow_savedmodel", "onnx": "onnx_onnxv1"}


@dataclass(frozen=True)
class ModelPorts:
    """A model with the shapes of its tensors, each of one eye.

    Attributes
    ----------
    structure
        Name of the first input.
    """

    model: KnownModel
    structure: str
    structure_shape: tuple[int, ...]
    reads_age: bool
    gives_spread: bool
    platform: str

    @property
    def inputs(self) -> dict[str, tuple[int, ...]]:
        """Shape of one eye by the name of the input."""
        age = {AGE: (1,)} if self.reads_age else {}
        return {self.structure: self.structure_shape, **age}

    @property
    def outputs(self) -> dict[str, tuple[int, ...]]:
        """Shape of one eye by the name of the output."""
        return {
            name: shape for name, shape in _SHAPES.items() if name == FIELD or self.gives_spread
        }


def askable_models(database: Database) -> list[KnownModel]:
    """Return the models that tensors are scored with: those not out of use whose card is known."""
    with database.reading() as session:
        models = list_models(session)
    return [model for model in models if model.state is not ModelState.RETIRED and _is_known(model)]


def find_ports(database: Database, name: str, version: str | None) -> ModelPorts:
    """Return a model; without a version the one that its name alone means.

    Raises
    ------
    ModelUnknown
        If there is none, or it is out of use.
    """
    label = name if version is None else f"{name}:{version}"
    model = named_model(askable_models(database), label)
    if model is None or not model.card:
        raise ModelUnknown
    return _ports(model, model.card)


def _is_known(model: KnownModel) -> bool:
    return model.card is not None and {"inputs", "format"} <= set(model.card)


def _ports(model: KnownModel, card: Mapping[str, Any]) -> ModelPorts:
    first, *others = card["inputs"]
    kept_as = str(card["format"])
    return ModelPorts(
        model,
        first["name"],
        tuple(first["shape"]),
        reads_age=AGE in {entry["name"] for entry in others},
        gives_spread=bool(card.get("gives_spread")),
        platform=_PLATFORMS.get(kept_as, kept_as),
    )
