import getpass
from pathlib import Path

import pytest

from arcuate.node import open_node, prepare_node
from core.settings import Settings
from tests.builders.encoded_instance import as_file, encode_instance
from tests.fixtures.audit_trail import audited, told
from tests.integration.test_cli import Called, Terminal


@pytest.fixture
def home(tmp_path: Path) -> Path:
    settings = Settings(home=tmp_path / "home")
    prepare_node(settings).database.close()
    return settings.home


def call(home: Path, *words: object) -> Called:
    return Terminal(home.parent, home)("import", *words)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    scans = tmp_path / "scans"
    scans.mkdir()
    (scans / "a.dcm").write_bytes(as_file(encode_instance()))
    (scans / "notes.txt").write_text("notes")
    return scans


def test_import_says_what_became_of_each_file(home: Path, folder: Path) -> None:
    first, second = call(home, folder), call(home, folder)

    assert (first.code, second.code) == (0, 0)
    assert [line.split()[0] for line in first.out.splitlines()] == ["kept", "left"]
    assert first.err == "1 kept, 0 known before, 0 refused, 1 left out.\n"
    assert second.err == "0 kept, 1 known before, 0 refused, 1 left out.\n"


def test_import_fails_where_any_was_refused(home: Path, folder: Path) -> None:
    (folder / "b.dcm").write_bytes(as_file(encode_instance(PatientID="")))

    called = call(home, folder, folder / "notes.txt", "--json")

    assert called.code == 1
    outcomes = [(Path(one["path"]).name, one["outcome"]) for one in called.json]
    assert outcomes == [
        ("a.dcm", "kept"),
        ("b.dcm", "REFUSED"),
        ("notes.txt", "REFUSED"),
        ("notes.txt", "REFUSED"),
    ]
    refused = called.json[1]
    assert (refused["code"], "enter it at the device" in refused["message"]) == (
        "patient_id_missing",
        True,
    )


def test_import_leaves_an_entry_that_names_what_came(home: Path, folder: Path) -> None:
    (folder / "b.dcm").write_bytes(as_file(encode_instance(PatientID="")))

    call(home, folder)

    [row] = audited(open_node(Settings(home=home)).database)
    assert told(row) == (getpass.getuser(), "store", "study", "1.2.3.1", [1], "success")
    studies = {"studies": ["1.2.3.1"], "count": 1, "refused": 1}
    assert row.detail == {"service": "import", **studies}


def test_import_of_a_folder_without_dicom_fails(home: Path, folder: Path) -> None:
    (folder / "a.dcm").unlink()

    called = call(home, folder)

    assert (called.code, called.err[:25]) == (1, "There was no DICOM file. ")
