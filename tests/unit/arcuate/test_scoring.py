from pathlib import Path

import pytest
from pydicom import Dataset

from arcuate.dicom_files import find_files
from arcuate.scan_files import file_digest
from arcuate.score_row import COLUMNS, Row
from arcuate.scoring import changed_files, score_files
from core.process_pool import ProcessPool
from core.settings import Settings
from core.values.laterality import Laterality
from inference.model_card import ModelKind
from inference.model_store import ModelStore
from inference.scorers import Scorers, load_scorers
from tests.builders.opt import build_circle_opt, build_localizer, encoded
from tests.builders.photograph import build_photograph


@pytest.fixture(scope="module")
def scorers() -> Scorers:
    return load_scorers(
        {ModelKind.PROFILE: ModelStore().load_card("retinervenet")}, Settings(device="cpu")
    )


def keep(folder: Path, name: str, dataset: Dataset) -> Path:
    path = folder / name
    path.write_bytes(encoded(dataset))
    return path


def scored(folder: Path, scorers: Scorers) -> list[Row]:
    files = find_files([folder])
    return list(score_files(files, files, scorers, ProcessPool(0)))


@pytest.mark.parametrize("laterality", list(Laterality))
def test_circle_scan_gives_one_row_with_its_eye(
    tmp_path: Path, scorers: Scorers, laterality: Laterality
) -> None:
    scan = keep(tmp_path, "scan.dcm", build_circle_opt(laterality=laterality))
    keep(tmp_path, "localizer.dcm", build_localizer(laterality=laterality))

    (row,) = scored(tmp_path, scorers)

    assert tuple(row) == COLUMNS
    assert (row["eye_id"], row["laterality"], row["status"]) == (str(scan), laterality, "final")
    assert all(0 <= row[f"s{point}"] <= 40 for point in range(1, 53))
    assert (row["estimated"], row["model"], row["model_version"], row["model_digest"]) == (
        True,
        scorers.active[ModelKind.PROFILE].identity.name,
        scorers.active[ModelKind.PROFILE].identity.version,
        scorers.active[ModelKind.PROFILE].identity.digest,
    )


def test_localizer_of_the_other_eye_refuses_the_scan(tmp_path: Path, scorers: Scorers) -> None:
    scan, localizer = build_circle_opt(), build_localizer()
    localizer.ImageLaterality = "L"
    keep(tmp_path, "scan.dcm", scan)
    keep(tmp_path, "localizer.dcm", localizer)

    (row,) = scored(tmp_path, scorers)

    assert (row["status"], row["reasons"]) == ("not_assessable", "laterality_conflict")
    assert (row["s1"], row["mean_deviation_db"]) == (None, None)


def test_scan_without_pixels_is_not_assessable(tmp_path: Path, scorers: Scorers) -> None:
    keep(tmp_path, "scan.dcm", build_circle_opt(pixels=None))

    (row,) = scored(tmp_path, scorers)

    assert (row["status"], row["reasons"]) == ("not_assessable", "pixels_unreadable")


def test_broken_file_is_a_failed_row_and_the_others_go_on(tmp_path: Path, scorers: Scorers) -> None:
    keep(tmp_path, "b.dcm", build_circle_opt())
    broken = tmp_path / "a.dcm"
    broken.write_bytes(b"\x00" * 200)

    failed, good = scored(tmp_path, scorers)

    assert (failed["eye_id"], failed["status"]) == (str(broken), "failed")
    assert failed["reasons"] == "cannot be read: InvalidDicomError; export the scan again"
    assert good["status"] == "final"


def test_file_with_other_content_than_before_is_known(tmp_path: Path) -> None:
    same, other, gone = (str(tmp_path / name) for name in ("same", "other", "gone"))
    for path in (same, other, gone):
        Path(path).write_bytes(path.encode())
    known = {path: file_digest(Path(path)) for path in (same, other, gone)}
    Path(other).write_bytes(b"other")
    Path(gone).unlink()

    assert changed_files(known) == {other, gone}


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.9])
def test_file_cut_short_never_gives_a_field(tmp_path: Path, scorers: Scorers, share: float) -> None:
    content = encoded(build_circle_opt())
    (tmp_path / "a.dcm").write_bytes(content[: int(len(content) * share)])

    rows = scored(tmp_path, scorers)

    assert [row["status"] for row in rows if row["status"] == "final"] == []


def test_cause_of_a_broken_file_quotes_nothing_from_it(tmp_path: Path, scorers: Scorers) -> None:
    content = encoded(build_circle_opt(PatientName="Secret^Name"))
    name = content.index(b"Secret^Name")
    # The value's length, just before it, reaches beyond the end of the file.
    (tmp_path / "a.dcm").write_bytes(content[: name - 2] + b"\xff\xff" + content[name : name + 20])

    rows = scored(tmp_path, scorers)

    assert "Secret" not in str(rows)


def test_folder_gives_its_dicom_files_and_a_named_file_is_always_taken(tmp_path: Path) -> None:
    scan = keep(tmp_path, "scan", build_circle_opt())
    named, claims = tmp_path / "notes.txt", tmp_path / "broken.DCM"
    named.write_text("notes")
    claims.write_text("no DICOM")

    assert find_files([tmp_path]) == [claims, scan]
    assert find_files([named, tmp_path, scan]) == [named, claims, scan]


def test_photograph_without_a_model_for_it_says_so(tmp_path: Path, scorers: Scorers) -> None:
    keep(tmp_path, "photograph.dcm", build_photograph())

    (row,) = scored(tmp_path, scorers)

    assert (row["status"], row["reasons"]) == ("not_assessable", "not_model_input")


def test_picture_that_a_scan_refers_to_gives_no_row(tmp_path: Path, scorers: Scorers) -> None:
    scan = keep(tmp_path, "scan.dcm", build_circle_opt())
    keep(tmp_path, "localizer.dcm", build_localizer())

    rows = scored(tmp_path, scorers)

    assert [row["eye_id"] for row in rows] == [str(scan)]
