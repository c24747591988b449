from pathlib import Path

import pytest

from inference.errors import ModelDamaged
from inference.weights import weights_digest


def make_folder(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def test_digest_of_a_file_is_its_sha256(tmp_path: Path) -> None:
    path = tmp_path / "a.keras"
    path.write_bytes(b"abc")

    # FIPS 180-4, appendix B.1 of its SHA-256 examples.
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert weights_digest(path) == f"sha256:{expected}"


def test_digest_of_a_folder_does_not_depend_on_where_it_lies(tmp_path: Path) -> None:
    files = {"saved_model.pb": b"graph", "variables/v.index": b"index"}

    one = weights_digest(make_folder(tmp_path / "one", files))

    assert one == weights_digest(make_folder(tmp_path / "two", files))


@pytest.mark.parametrize(
    "changed",
    [
        {"a": b"1", "b/c": b"3"},
        {"a": b"1", "b/d": b"2"},
        {"a": b"1", "b/c": b"2", "e": b""},
        {"a": b"1"},
        {"a": b"2", "b/c": b"1"},
    ],
    ids=["content", "name", "more", "less", "swapped"],
)
def test_digest_of_a_folder_covers_names_and_contents(
    tmp_path: Path, changed: dict[str, bytes]
) -> None:
    whole = weights_digest(make_folder(tmp_path / "whole", {"a": b"1", "b/c": b"2"}))

    assert weights_digest(make_folder(tmp_path / "changed", changed)) != whole


def test_folder_with_a_link_is_refused(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "model", {"a": b"1"})
    (folder / "link").symlink_to(tmp_path)

    with pytest.raises(ModelDamaged, match="link in model is no plain file"):
        weights_digest(folder)


def test_missing_weights_are_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        weights_digest(tmp_path / "none")
