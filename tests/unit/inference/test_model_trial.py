from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.values.fundus import FUNDUS_SHAPE
from inference.errors import DeviceUnavailable, ModelDamaged
from inference.model_store import ModelStore
from inference.model_trial import try_model
from tests.unit.inference.runtimes.networks import keras_model, small_keras

# Keras itself warns when it saves with TensorFlow and NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def fundus_network(shape: tuple[int, ...]) -> Any:
    import keras

    fundus, age = keras.Input(shape, name="fundus"), keras.Input((1,), name="age")
    mean = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(10.0)(fundus))
    features = keras.layers.Concatenate()([mean, keras.layers.Rescaling(1 / 60)(age)])
    bias = keras.initializers.Constant(25.0)
    field = keras.layers.Dense(52, bias_initializer=bias, name="dense_1")(features)
    return keras.Model([fundus, age], field)


def profile_network(change: Callable[[Any, Any], Any]) -> Any:
    """Return a network whose field is `change` of a sound one and the profile."""
    import keras

    sound = small_keras()
    profile, _ = sound.inputs
    field = change(sound.outputs[0], profile)
    named = keras.layers.Activation("linear", name="changed")(field)
    return keras.Model(sound.inputs, keras.layers.Identity(name="field")(named))


def infinite(field: Any, _profile: Any) -> Any:
    import keras

    return keras.ops.log(field - field)


def far_away(field: Any, _profile: Any) -> Any:
    return field * 10


def a_share(field: Any, _profile: Any) -> Any:
    return field - 40


def always_alike(field: Any, _profile: Any) -> Any:
    return field * 0 + 25


def of_its_neighbours(field: Any, profile: Any) -> Any:
    import keras

    return field + (profile[:, :1, 0] - keras.ops.mean(profile[:, :1, 0])) / 20


def test_shipped_models_pass() -> None:
    for card in ModelStore().list():
        try_model(card)


@pytest.mark.parametrize("with_spread", [False, True])
@pytest.mark.parametrize("with_age", [False, True])
def test_sound_network_passes(tmp_path: Path, with_age: bool, with_spread: bool) -> None:
    try_model(keras_model(tmp_path, small_keras(with_age, with_spread)))


def test_sound_network_of_photographs_passes(tmp_path: Path) -> None:
    try_model(keras_model(tmp_path, fundus_network(FUNDUS_SHAPE)))


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (infinite, "failed: phantom 1.0.0 gave no finite field of 52 points"),
        (far_away, "fields lie between 0 and 40 dB"),
        (a_share, "fields lie between 0 and 40 dB"),
        (always_alike, "the same field for a healthy disc"),
        (of_its_neighbours, "dB apart for the same eye alone and among others"),
    ],
)
def test_network_that_cannot_work_is_refused_with_the_cause(
    tmp_path: Path, change: Callable[[Any, Any], Any], cause: str
) -> None:
    card = keras_model(tmp_path, profile_network(change))

    with pytest.raises(ModelDamaged, match=cause):
        try_model(card)


def test_photographs_of_another_shape_are_refused(tmp_path: Path) -> None:
    card = keras_model(tmp_path, fundus_network((64, 24, 4)))

    with pytest.raises(ModelDamaged, match=r"here they are unrolled to \(128, 24, 4\)"):
        try_model(card)


def test_device_that_is_not_there_is_no_fault_of_the_model(tmp_path: Path) -> None:
    with pytest.raises(DeviceUnavailable):
        try_model(keras_model(tmp_path, small_keras()), "gpu:99")
