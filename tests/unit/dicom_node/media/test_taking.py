from pathlib import Path

import pytest
from sqlmodel import select

from core.tables.instances import InstanceRow
from core.tables.jobs import JobRow
from core.tables.quarantine import QuarantineRow
from dicom_node.errors import (
    InstanceConflict,
    StorageFull,
    UnsupportedSOPClass,
)
from dicom_node.media.taking import Taken, Verdict, take_path, take_paths
from dicom_node.storage.archive import Archive
from tests.builders.encoded_instance import as_file, encode_instance
from tests.builders.medium import write_media_directory


def write(folder: Path, name: str, **attributes: object) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(as_file(encode_instance(**attributes)))
    return path


def verdicts(taken: list[Taken]) -> dict[str, Verdict]:
    return {one.path.name: one.verdict for one in taken}


def test_a_folder_is_taken_in_and_the_second_time_known(archive: Archive, tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    for number in range(9):
        write(folder, f"{number}.dcm", SOPInstanceUID=f"1.2.3.1.1.{number + 1}")

    first = list(take_paths(archive, [folder], "import"))
    second = list(take_paths(archive, [folder], "import"))

    assert [one.path.name for one in first] == [f"{number}.dcm" for number in range(9)]
    assert {one.verdict for one in first} == {Verdict.KEPT}
    assert {one.verdict for one in second} == {Verdict.KNOWN}
    with archive.database.reading() as session:
        assert len(session.exec(select(InstanceRow)).all()) == 9
        assert len(session.exec(select(JobRow)).all()) == 9


def test_what_must_not_be_taken_in_is_told_with_its_cause_and_stops_nothing(
    archive: Archive, tmp_path: Path
) -> None:
    folder = tmp_path / "scans"
    write(folder, "1.dcm")
    write(folder, "2.dcm", StudyDescription="changed")
    write(folder, "3.dcm", SOPInstanceUID="1.2.3.1.1.3", SOPClassUID="1.2.840.10008.5.1.4.1.1.2")
    (folder / "4.txt").write_text("notes")
    write(folder, "5.dcm", SOPInstanceUID="1.2.3.1.1.5")
    paths = sorted(folder.iterdir())

    taken = [take_path(archive, path, "import") for path in paths]

    assert verdicts(taken) == {
        "1.dcm": Verdict.KEPT,
        "2.dcm": Verdict.REFUSED,
        "3.dcm": Verdict.REFUSED,
        "4.txt": Verdict.OTHER,
        "5.dcm": Verdict.KEPT,
    }
    assert [type(one.cause) for one in taken[1:3]] == [InstanceConflict, UnsupportedSOPClass]
    with archive.database.reading() as session:
        rows = session.exec(select(QuarantineRow)).all()
        assert [(row.code, row.calling_ae_title) for row in rows] == [
            ("instance_conflict", "import"),
            ("sop_class_not_supported", "import"),
        ]


def test_a_medium_is_taken_in_by_its_directory(archive: Archive, tmp_path: Path) -> None:
    medium = tmp_path / "medium"
    for number in range(3):
        write(medium, f"IMAGE{number}", SOPInstanceUID=f"1.2.3.1.1.{number + 1}")
    path = write_media_directory(medium, [[f"IMAGE{number}"] for number in range(3)])

    by_directory = list(take_paths(archive, [path], "import"))
    directory = take_path(archive, path, "import")

    assert [one.verdict for one in by_directory] == [Verdict.KEPT] * 3
    assert directory.verdict is Verdict.DIRECTORY


def test_a_file_that_is_not_there_is_refused_by_name(archive: Archive, tmp_path: Path) -> None:
    taken = take_path(archive, tmp_path / "gone.dcm", "import")

    assert (taken.verdict, taken.message) == (
        Verdict.REFUSED,
        "The file cannot be read: No such file or directory",
    )


def test_a_full_disk_ends_it_and_keeps_what_was_told(archive: Archive, tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    write(folder, "1.dcm")
    full = Archive(archive.database, archive.storage, archive.quarantine, 1 << 30, 1 << 62)

    with pytest.raises(StorageFull):
        list(take_paths(full, [folder], "import"))
