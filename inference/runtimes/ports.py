"""Which input and output of a network is which: by name where it has the card's, else by shape."""

from collections.abc import Sequence
from typing import Final

from core.values.prediction import FIELD_POINTS
from inference.errors import ModelDamaged
from inference.model_card import ModelInput
from inference.runtimes.compiled_network import Port

AGE_INPUT: Final = "age"
#: The output that says how wide the interval around each point is; a network may lack it.
SPREAD_OUTPUT: Final = "spread"

_FIELD_SHAPE: Final = (FIELD_POINTS,)
_SPREAD_SHAPE: Final = (FIELD_POINTS, 2)


def match_inputs(
    inputs: Sequence[ModelInput], ports: Sequence[Port], label: str
) -> tuple[int, ...]:
    """Return for each port which value it takes: 0 the structure, 1 the age.

    Parameters
    ----------
    inputs
        What the card names: the structure, and the age where the model reads it.
    ports
        What the network takes, in its order.
    label
        What the network is called in an error.

    Raises
    ------
    ModelDamaged
        If the two do not fit each other.
    """
    names = [entry.name for entry in inputs]
    if len(inputs) > 2 or names[1:] not in ([], [AGE_INPUT]):
        raise ModelDamaged(
            f"The card of {label} names the inputs {', '.join(names)}; a scan gives its structure "
            f"and `{AGE_INPUT}`, nothing else. Make a model of these inputs."
        )
    found = tuple(_input_of(port, inputs) for port in ports)
    if sorted(index for index in found if index is not None) != list(range(len(ports))) or len(
        ports
    ) != len(inputs):
        raise ModelDamaged(
            f"{label} takes {_listed(ports)}, and its card says "
            f"{_listed([Port(entry.name, entry.shape) for entry in inputs])}. Make names and "
            "shapes alike in the card's [[inputs]]."
        )
    return tuple(index for index in found if index is not None)


def match_outputs(ports: Sequence[Port], field_name: str, label: str) -> tuple[int, int | None]:
    """Return the positions of the field and of the spread, None where there is no spread.

    Raises
    ------
    ModelDamaged
        If the network gives no field of 52 points, or anything beside field and spread.
    """
    field = _output_of(ports, field_name, _FIELD_SHAPE)
    spread = _output_of(ports, SPREAD_OUTPUT, _SPREAD_SHAPE)
    if field is None or len(ports) != (1 if spread is None else 2):
        raise ModelDamaged(
            f"{label} gives {_listed(ports)}, not the field `{field_name}` of {FIELD_POINTS} "
            f"points and at most its `{SPREAD_OUTPUT}` of {FIELD_POINTS} × 2. Export the model "
            "with these outputs only."
        )
    return field, spread


def _input_of(port: Port, inputs: Sequence[ModelInput]) -> int | None:
    fitting = [index for index, entry in enumerate(inputs) if _fits(port.shape, entry.shape)]
    named = [index for index in fitting if inputs[index].name == port.name]
    chosen = named or fitting
    return chosen[0] if len(chosen) == 1 else None


def _output_of(ports: Sequence[Port], name: str, shape: tuple[int, ...]) -> int | None:
    fitting = [index for index, port in enumerate(ports) if _fits(port.shape, shape)]
    named = [index for index in fitting if ports[index].name == name]
    chosen = named or fitting
    return chosen[0] if len(chosen) == 1 else None


def _fits(found: tuple[int | None, ...], wanted: tuple[int, ...]) -> bool:
    return len(found) == len(wanted) and all(
        length in {None, other} for length, other in zip(found, wanted, strict=True)
    )


def _listed(ports: Sequence[Port]) -> str:
    return ", ".join(f"`{port.name}` {port.shape}" for port in ports) or "nothing"
