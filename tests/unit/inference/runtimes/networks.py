"""Small networks in the forms the runtimes read."""

from pathlib import Path
from typing import Any


def small_keras(with_age: bool = True, with_spread: bool = False, seed: int = 3) -> Any:
    """Return a Keras network from a profile, and an age, to 52 dB that differ by point."""
    import keras

    keras.utils.set_random_seed(seed)
    profile = keras.Input((768, 1), name="profile")
    age = keras.Input((1,), name="age")
    sectors = keras.layers.AveragePooling1D(64)(keras.layers.Rescaling(1 / 90)(profile))
    features = keras.layers.Flatten()(sectors)
    if with_age:
        years = keras.layers.Rescaling(1 / 60)(age)
        features = keras.layers.Concatenate()([features, years])
    bias = keras.initializers.Constant(25.0)
    outputs = [keras.layers.Dense(52, bias_initializer=bias, name="dense_1")(features)]
    if with_spread:
        wide = keras.layers.Dense(104, activation="softplus", name="widths")(features)
        outputs.append(keras.layers.Reshape((52, 2), name="spread")(wide))
    inputs = [profile, age] if with_age else [profile]
    return keras.Model(inputs, outputs if with_spread else outputs[0])


def save_keras(model: Any, folder: Path) -> Path:
    """Save a network as `small.keras` in that folder."""
    path = folder / "small.keras"
    model.save(path)
    return path
