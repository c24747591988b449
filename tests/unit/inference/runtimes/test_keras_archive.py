import json
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import pytest

from inference.errors import ModelDamaged
from inference.model_store import SHIPPED_MODELS
from inference.runtimes.keras_archive import check_archive
from tests.unit.inference.runtimes.networks import save_keras, small_keras

DENSE = {"module": "keras.layers", "class_name": "Dense", "config": {"name": "dense_1"}}


def keras_file(folder: Path, *layers: object, **entries: object) -> Path:
    config = {"module": "keras", "class_name": "Sequential", "config": {"layers": list(layers)}}
    path = folder / "a.keras"
    with ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps({**config, **entries}))
        archive.writestr("model.weights.h5", b"")
    return path


@pytest.mark.parametrize("path", sorted(SHIPPED_MODELS.glob("*/*.keras")), ids=lambda p: p.stem)
def test_shipped_models_are_made_of_keras_own_parts_only(path: Path) -> None:
    check_archive(path)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_network_saved_by_keras_passes(tmp_path: Path) -> None:
    check_archive(save_keras(small_keras(with_spread=True), tmp_path))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_lambda_saved_by_keras_is_refused_by_the_name_of_its_layer(tmp_path: Path) -> None:
    import keras

    profile = keras.Input((768, 1), name="profile")
    scaled = keras.layers.Lambda(lambda x: x / 90, name="scaled")(profile)
    field = keras.layers.Dense(52, name="dense_1")(keras.layers.Flatten()(scaled))

    with pytest.raises(ModelDamaged, match="'scaled' is a Lambda, which can run code"):
        check_archive(save_keras(keras.Model(profile, field), tmp_path))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_layer_of_ones_own_is_refused(tmp_path: Path) -> None:
    import keras

    @keras.saving.register_keras_serializable("clinic")
    class Own(keras.layers.Layer):
        def call(self, x: object) -> object:
            return x

    profile = keras.Input((768, 1), name="profile")
    field = keras.layers.Dense(52, name="dense_1")(keras.layers.Flatten()(Own(name="o")(profile)))

    with pytest.raises(ModelDamaged, match=r"'o' is made of .*Own, which is none of Keras' layers"):
        check_archive(save_keras(keras.Model(profile, field), tmp_path))


@pytest.mark.parametrize(
    ("module", "kind"),
    [
        ("keras.layers", "TFSMLayer"),
        ("keras.layers", "StringLookup"),
        ("keras.utils", "get_file"),
        ("keras.models_of_mine", "Model"),
        ("keras", "Function"),
        ("os", "system"),
        (None, "__lambda__"),
        (None, "Dense"),
    ],
)
def test_part_from_elsewhere_is_refused(tmp_path: Path, module: str | None, kind: str) -> None:
    unsafe = {"module": module, "class_name": kind, "config": {"name": "inner"}}
    outer = {**DENSE, "config": {"name": "outer", "deep": [{"deeper": unsafe}]}}

    with pytest.raises(ModelDamaged, match="not safe to read: the part 'inner'"):
        check_archive(keras_file(tmp_path, DENSE, outer))


def test_function_of_ones_own_is_refused_by_the_layer_around_it(tmp_path: Path) -> None:
    function = {"module": "builtins", "class_name": "function", "config": "squash"}
    layer = {**DENSE, "config": {"name": "dense_1", "activation": function}}

    with pytest.raises(ModelDamaged, match="'dense_1' calls the Python function 'squash'"):
        check_archive(keras_file(tmp_path, layer))


def test_loss_it_was_trained_with_does_not_matter(tmp_path: Path) -> None:
    loss = {"module": "builtins", "class_name": "function", "config": "own_loss"}

    check_archive(keras_file(tmp_path, DENSE, compile_config={"loss": loss}))


@pytest.mark.parametrize(
    "name", ["../out", "/etc/out", "a/../../out", "..\\out", "C:\\out", "C:out", "\\out"]
)
def test_path_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    path = keras_file(tmp_path, DENSE)
    with ZipFile(path, "a") as archive:
        archive.writestr(name, b"")

    with pytest.raises(ModelDamaged, match="leads out of the file"):
        check_archive(path)


def test_link_is_refused(tmp_path: Path) -> None:
    path = keras_file(tmp_path, DENSE)
    link = ZipInfo("link")
    link.external_attr = 0o120777 << 16
    with ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")

    with pytest.raises(ModelDamaged, match="'link', which leads out"):
        check_archive(path)


def test_archive_that_unpacks_to_fill_a_memory_is_refused(tmp_path: Path) -> None:
    path = keras_file(tmp_path, DENSE)
    with ZipFile(path, "a") as archive:
        large = ZipInfo("assets/large")
        archive.writestr(large, b"")
        # What an archive says of itself.
        large.file_size = 3 * 2**30

    with pytest.raises(ModelDamaged, match="unpacks to 3 GiB"):
        check_archive(path)


@pytest.mark.parametrize("text", ["no json", "[" * 100_000, "[]", '"text"'])
def test_configuration_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.keras"
    with ZipFile(path, "w") as archive:
        archive.writestr("config.json", text)

    with pytest.raises(ModelDamaged, match="not a network that Keras saved"):
        check_archive(path)
