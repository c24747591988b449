"""Plain networks to hold RetiNerveNet against: neither knows anything of nerve fibres."""

from typing import Any, Final

import keras

from core.values.prediction import FIELD_POINTS

#: A first guess in dB from which training starts.
_START_DB: Final = 24.0
_PLACE_POOL: Final = 6
_DENSE_UNITS: Final = (512, 256)
#: Channels of each convolution of the plain one, each followed by halving.
_CHANNELS: Final = (16, 32, 32)
_KERNEL: Final = 7


def dense_field(thickness: Any, years: Any, name: str) -> Any:
    """Return the field in dB, shape (batch, 52): two dense layers over 128 places and the age."""
    places = keras.layers.AveragePooling1D(_PLACE_POOL, name=f"{name}_places")(thickness)
    return _dense(keras.layers.Flatten(name=f"{name}_flat")(places), years, name)


def convolutional_field(thickness: Any, years: Any, name: str) -> Any:
    """Return the field in dB, shape (batch, 52): three convolutions, then the same dense layers."""
    found = keras.layers.AveragePooling1D(_PLACE_POOL, name=f"{name}_places")(thickness)
    for number, channels in enumerate(_CHANNELS, start=1):
        found = keras.layers.Conv1D(
            channels, _KERNEL, padding="same", activation="gelu", name=f"{name}_{number}"
        )(found)
        found = keras.layers.MaxPooling1D(2, name=f"{name}_{number}_pool")(found)
    return _dense(keras.layers.Flatten(name=f"{name}_flat")(found), years, name)


def _dense(features: Any, years: Any, name: str) -> Any:
    features = keras.layers.Concatenate(name=f"{name}_and_age")([features, years])
    for number, units in enumerate(_DENSE_UNITS, start=1):
        layer = keras.layers.Dense(units, activation="gelu", name=f"{name}_dense_{number}")
        features = layer(features)
    return keras.layers.Dense(
        FIELD_POINTS,
        activation="softplus",
        bias_initializer=keras.initializers.Constant(_START_DB),
        name=name,
    )(features)
