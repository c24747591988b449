from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage

from dicom_node.errors import PathUnreadable
from dicom_node.scu.files import find_files, read_file_to_send
from tests.builders.encoded_instance import as_file, encode_instance


def write_media_directory(folder: Path, references: list[list[str]]) -> Path:
    directory = Dataset()
    directory.file_meta = FileMetaDataset()
    directory.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    directory.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    directory.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    records = []
    for reference in references:
        record = Dataset()
        record.ReferencedFileID = reference
        records.append(record)
    directory.DirectoryRecordSequence = Sequence(records)
    path = folder / "DICOMDIR"
    directory.save_as(path, enforce_file_format=True)
    return path


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


def test_a_dicom_file_says_how_to_send_it(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(as_file(encode_instance()))

    file = read_file_to_send(path)

    assert (file.sop_instance_uid, file.transfer_syntax_uid) == (
        "1.2.3.1.1.1",
        ExplicitVRLittleEndian,
    )


@pytest.mark.parametrize("content", [b"", b"not DICOM", b"\x00" * 128 + b"DICM"])
def test_another_file_cannot_be_sent(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(content)

    with pytest.raises(PathUnreadable):
        read_file_to_send(path)
