from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.errors import ModelDamaged
from inference.model_card import read_card
from inference.model_card_writer import write_card
from inference.precision import check_precision, in_stated_precision, load_network
from inference.precisions import Precision, PrecisionCheck
from inference.runtimes.network import Network
from tests.unit.inference.runtimes.networks import eyes, keras_model, small_keras

# Keras itself warns when it saves with TensorFlow and NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

CHECK = PrecisionCheck(0.02, 64, "GPU:0 some", "TensorFlow")


def coarse(factor: float) -> Any:
    """Return a network whose features are that far from 1, where half precision is coarse."""
    import keras

    profile = keras.Input((768, 1), name="profile")
    age = keras.Input((1,), name="age")
    features = keras.layers.Flatten()(keras.layers.Rescaling(factor, offset=factor)(profile))
    features = keras.layers.Rescaling(1 / factor, offset=-1.0)(features)
    field = keras.layers.Dense(52, kernel_initializer="ones", name="dense_1")
    return keras.Model([profile, age], field(features))


def test_precision_is_stated_with_what_it_was_measured_to_change(tmp_path: Path) -> None:
    card = keras_model(tmp_path, small_keras(with_spread=True))

    stated = check_precision(card, Precision.MIXED_FLOAT16, "cpu")
    write_card(stated)

    assert read_card(card.folder) == stated
    found = stated.precision_check
    assert found is not None
    assert 0 < found.largest_difference_db < 0.1
    assert (found.eyes, found.device) == (64, "CPU")


def test_precision_that_changes_the_fields_is_refused(tmp_path: Path) -> None:
    card = keras_model(tmp_path, coarse(1000.0))

    with pytest.raises(ModelDamaged, match=r"mixed_float16 gives fields up to .* Leave its precis"):
        check_precision(card, Precision.MIXED_FLOAT16, "cpu")

    stated = replace(card, precision=Precision.MIXED_FLOAT16, precision_check=CHECK)
    with pytest.raises(ModelDamaged, match=r"0\.1 dB is allowed"):
        in_stated_precision(stated, Network.load(card, "cpu"), "cpu")


def test_stated_precision_is_used_where_it_holds_and_never_on_the_processor(
    tmp_path: Path,
) -> None:
    card = keras_model(tmp_path, small_keras())
    stated = replace(card, precision=Precision.MIXED_BFLOAT16, precision_check=CHECK)
    whole = Network.load(card, "cpu")

    on_processor = fields(load_network(stated, "cpu"))
    reduced = fields(in_stated_precision(stated, whole, "cpu"))

    assert (on_processor == fields(whole)).all()
    assert 0 < abs(reduced - on_processor).max() < 0.1


def fields(network: Network) -> NDArray[np.float32]:
    profiles, ages = eyes(4)
    return network.answer(profiles, ages[:, 0]).sensitivities_db


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ('precision = "mixed_float16"', r"needs a \[precision_check\]: measure what it changes"),
        ('precision = "half"', "precision: "),
    ],
)
def test_card_that_states_a_precision_without_its_check_is_refused(
    tmp_path: Path, changes: str, cause: str
) -> None:
    card = keras_model(tmp_path, small_keras())
    path = card.folder / "card.toml"
    path.write_text(path.read_text().replace('precision = "float32"', changes))

    with pytest.raises(ModelDamaged, match=cause):
        read_card(card.folder)
