"""A small convolutional network from the ring around the disc in a photograph to the field.

Built from Keras' own layers and operations only, so that the same file runs on each of its
backends and needs no class of ours to be read back.
"""

from typing import Any, Final

import keras

from core.values.fundus import FUNDUS_SHAPE
from core.values.prediction import FIELD_POINTS

FUNDUS_INPUT: Final = "fundus"
AGE_INPUT: Final = "age"
OUTPUT_LAYER: Final = "dense_1"

#: What brings brightness, striation, vessel and seen to a like spread.
_CHANNEL_SCALE: Final = (4.0, 30.0, 2.0, 1.0)
#: Angles repeated at each end, for the ring closes.
_OVERLAP: Final = 8
#: Channels, kernel and stride of each convolution: angle by radius.
_BLOCKS: Final = ((16, (6, 4), (2, 2)), (24, (5, 3), (2, 1)), (32, (5, 3), (2, 2)))
_UNITS: Final = (96, 64)
_DROPOUT: Final = 0.2

#: Centre and scale the ages lie around, in years.
_AGE_YEARS: Final = (62.0, 13.0)
#: A first guess in dB from which training starts, and how far one unit of a feature moves it.
_START_DB: Final = 24.0
_FEATURE_SCALE_DB: Final = 3.0


def build_fundus_field() -> keras.Model:
    """Return the untrained network: `fundus` (128, 24, 4) and `age` (1,) in years to 52 dB."""
    ring = keras.Input(FUNDUS_SHAPE, name=FUNDUS_INPUT)
    age = keras.Input((1,), name=AGE_INPUT)
    places = _convolved(ring)
    centre, scale = _AGE_YEARS
    years = keras.layers.Rescaling(1 / scale, offset=-centre / scale, name="years")(age)
    features = keras.layers.Flatten(name="places")(places)
    features = keras.layers.Dropout(_DROPOUT, name="dropout")(features)
    for number, units in enumerate(_UNITS, start=1):
        features = keras.layers.Concatenate(name=f"with_age_{number}")([features, years])
        features = keras.layers.Dense(units, activation="relu", name=f"features_{number}")(features)
    features = keras.layers.Rescaling(_FEATURE_SCALE_DB, name="decibel")(features)
    # Softplus keeps the field at 0 dB or above without a dead end for the gradient.
    sensitivities = keras.layers.Dense(
        FIELD_POINTS,
        activation="softplus",
        bias_initializer=keras.initializers.Constant(_START_DB),
        name=OUTPUT_LAYER,
    )(features)
    return keras.Model([ring, age], sensitivities, name="fundus_field")


def _convolved(ring: Any) -> Any:
    """Return what was found at each place of the closed ring, shape (batch, 18, 6, 32)."""
    scaled = keras.layers.Rescaling(list(_CHANNEL_SCALE), name="channels")(ring)
    places = keras.ops.concatenate([scaled[:, -_OVERLAP:], scaled, scaled[:, :_OVERLAP]], axis=1)
    for number, (channels, kernel, stride) in enumerate(_BLOCKS, start=1):
        places = keras.layers.Conv2D(
            channels,
            kernel,
            strides=stride,
            padding="same",
            activation="relu",
            name=f"convolution_{number}",
        )(places)
    return places
