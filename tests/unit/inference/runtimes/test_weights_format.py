import pickle
from pathlib import Path
from zipfile import ZipFile

import pytest

from inference.errors import ModelDamaged
from inference.model_card import ModelFormat
from inference.runtimes.weights_format import weights_format


def archive(path: Path, *names: str) -> Path:
    with ZipFile(path, "w") as written:
        for name in names:
            written.writestr(name, "{}")
    return path


def test_keras_file_is_told_by_its_content(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.keras", "config.json", "metadata.json", "model.weights.h5")

    assert weights_format(path) is ModelFormat.KERAS


def test_folder_with_a_graph_is_a_saved_model(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").touch()

    assert weights_format(tmp_path) is ModelFormat.SAVEDMODEL


def test_onnx_file_is_told_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes(b"\x08\x09")

    assert weights_format(path) is ModelFormat.ONNX


@pytest.mark.parametrize("name", ["a.pkl", "a.PICKLE", "a.joblib", "a.pt", "a.pth", "a.bin"])
def test_pickle_is_refused_by_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"anything")

    with pytest.raises(ModelDamaged, match="is a pickle, which can run any code"):
        weights_format(tmp_path / name)


@pytest.mark.parametrize("name", ["a.keras", "a.onnx"])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_pickle_is_refused_by_content(tmp_path: Path, name: str, protocol: int) -> None:
    (tmp_path / name).write_bytes(pickle.dumps({"weights": [1.0]}, protocol))

    with pytest.raises(ModelDamaged, match="is a pickle, which can run any code"):
        weights_format(tmp_path / name)


def test_archive_with_a_pickle_inside_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.keras", "archive/data.pkl", "config.json", "model.weights.h5")

    with pytest.raises(ModelDamaged, match="is a pickle"):
        weights_format(path)


@pytest.mark.parametrize("name", ["a.h5", "a.keras"])
def test_older_keras_file_is_refused_with_what_to_do(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x89HDF\r\n\x1a\n and more")

    with pytest.raises(ModelDamaged, match=r"older HDF5 format.*save it as \.keras"):
        weights_format(tmp_path / name)


def test_other_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelDamaged, match="an archive, but not a network"):
        weights_format(archive(tmp_path / "a.keras", "readme.txt"))


def test_anything_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.keras").write_bytes(b"weights")

    with pytest.raises(ModelDamaged, match=r"not a network that is read: give a \.keras file"):
        weights_format(tmp_path / "a.keras")


def test_folder_of_anything_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelDamaged, match=r"holds no saved_model\.pb"):
        weights_format(tmp_path)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelDamaged, match="cannot be read"):
        weights_format(tmp_path / "a.keras")
