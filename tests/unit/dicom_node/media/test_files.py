from pathlib import Path

import pytest

from dicom_node.calling_errors import PathUnreadable
from dicom_node.media.files import find_files
from tests.builders.medium import write_media_directory


def test_a_folder_gives_its_files_in_order_without_the_directory(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("b/2.dcm", "a.dcm", "DICOMDIR"):
        (tmp_path / name).write_bytes(b"")

    assert list(find_files([tmp_path])) == [tmp_path / "a.dcm", tmp_path / "b" / "2.dcm"]


def test_a_media_directory_gives_the_files_it_refers_to(tmp_path: Path) -> None:
    path = write_media_directory(tmp_path, [["IMAGES", "1"], ["2"]])

    assert list(find_files([path])) == [tmp_path / "IMAGES" / "1", tmp_path / "2"]


def test_a_media_directory_does_not_lead_outside_its_medium(tmp_path: Path) -> None:
    (tmp_path / "medium").mkdir()
    with pytest.warns(UserWarning, match="Invalid value"):
        path = write_media_directory(tmp_path / "medium", [["..", "secret"]])

    with pytest.raises(PathUnreadable, match="outside"):
        list(find_files([path]))


def test_a_path_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(PathUnreadable, match="nowhere"):
        list(find_files([tmp_path / "nowhere"]))


def test_names_on_a_medium_may_be_written_otherwise(tmp_path: Path) -> None:
    """Mounted, a CD shows its names in lower case as a rule, and some writers keep versions."""
    references = [["IMAGES", "A1"], ["IMAGES", "A2"], ["IMAGES", "GONE"]]
    path = write_media_directory(tmp_path, references)
    (tmp_path / "images").mkdir()
    for name in ("a1", "A2.;1"):
        (tmp_path / "images" / name).write_bytes(b"")

    found = [str(file.relative_to(tmp_path)) for file in find_files([path])]

    assert found == ["images/a1", "images/A2.;1", "images/GONE"]
