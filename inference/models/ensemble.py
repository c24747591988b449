"""Several networks that answer as one, beside a network that says how far off they may be.

One file holds them all: the mean of the members is the field, a branch of its own gives the spread.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import keras

from core.values.prediction import FIELD_POINTS
from core.values.profile import PROFILE_SAMPLES

PROFILE_INPUT: Final = "profile"
AGE_INPUT: Final = "age"
OUTPUT_LAYER: Final = "dense_1"
SPREAD_LAYER: Final = "spread"
LIMITS_OUTPUT: Final = "limits"

#: Centre and scale the inputs lie around, in µm and years.
_THICKNESS_UM: Final = (90.0, 40.0)
_AGE_YEARS: Final = (62.0, 13.0)

_PLACE_POOL: Final = 6
_SPREAD_UNITS: Final = (192, 96)
#: A first guess of the spread in dB, and how far one unit of a feature moves it.
_START_SPREAD_DB: Final = 4.0

#: From standardised thickness (batch, 768, 1) and age (batch, 1) to a field of that layer name.
Member = Callable[[Any, Any, str], Any]


def ensemble_of(members: Sequence[Member], name: str) -> keras.Model:
    """Return untrained networks as one, from `profile` (768, 1) µm and `age` (1,) years.

    Its outputs are the field, shape (batch, 52), dB, and the spread, shape (batch, 52, 2): how far
    below and above the field a measurement may lie, dB, above 0.
    """
    profile = keras.Input((PROFILE_SAMPLES, 1), name=PROFILE_INPUT)
    age = keras.Input((1,), name=AGE_INPUT)
    thickness = _standardised(*_THICKNESS_UM, "thickness")(profile)
    years = _standardised(*_AGE_YEARS, "years")(age)
    fields = [
        member(thickness, years, member_name)
        for member, member_name in zip(members, member_names(len(members)), strict=True)
    ]
    mean = keras.layers.Average if len(fields) > 1 else keras.layers.Identity
    field = mean(name=OUTPUT_LAYER)(fields if len(fields) > 1 else fields[0])
    return keras.Model([profile, age], [field, _spread(thickness, years)], name=name)


def member_names(count: int) -> tuple[str, ...]:
    """Return the layers that give the members' fields."""
    return tuple(f"member_{number}" for number in range(1, count + 1))


def training_view(network: Any, count: int) -> keras.Model:
    """Return the same layers with the outputs that are trained: each member, and the limits.

    `limits`, shape (batch, 52, 2), lie the spread below and above the field. Training them moves
    the spread alone: the field stands still.
    """
    fields = {name: network.get_layer(name).output for name in member_names(count)}
    still = keras.ops.stop_gradient(network.get_layer(OUTPUT_LAYER).output)
    spread = network.get_layer(SPREAD_LAYER).output
    limits = keras.ops.stack([still - spread[:, :, 0], still + spread[:, :, 1]], axis=2)
    limits = keras.layers.Identity(name=LIMITS_OUTPUT)(limits)
    return keras.Model(network.inputs, {**fields, LIMITS_OUTPUT: limits})


def _standardised(centre: float, scale: float, name: str) -> Any:
    return keras.layers.Rescaling(1 / scale, offset=-centre / scale, name=name)


def _spread(thickness: Any, years: Any) -> Any:
    places = keras.layers.AveragePooling1D(_PLACE_POOL, name="spread_places")(thickness)
    features = keras.layers.Flatten(name="spread_flat")(places)
    features = keras.layers.Concatenate(name="spread_and_age")([features, years])
    for number, units in enumerate(_SPREAD_UNITS, start=1):
        features = keras.layers.Dense(units, activation="gelu", name=f"spread_{number}")(features)
    both = keras.layers.Dense(
        2 * FIELD_POINTS,
        activation="softplus",
        bias_initializer=keras.initializers.Constant(_START_SPREAD_DB),
        name="spread_both",
    )(features)
    # Above 0 wherever rounding would end.
    both = keras.layers.Rescaling(1.0, offset=0.05, name="spread_above_zero")(both)
    return keras.layers.Reshape((FIELD_POINTS, 2), name=SPREAD_LAYER)(both)
