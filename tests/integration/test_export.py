"""`arcuate export` on real samples: kept as they come, given out so that they name no one."""

import csv
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet
from pydicom import Dataset, dcmread
from pydicom.uid import RawDataStorage, SecondaryCaptureImageStorage

from arcuate.errors import ExportElsewhere
from arcuate.exporting.exporting import Exported, export
from arcuate.exporting.order import ExportOrder
from core.database import Database
from core.predictions import record_prediction
from core.pseudonyms import pseudonyms_of
from core.settings import Settings
from core.tables.instances import InstanceRow
from core.values.prediction import PredictionStatus
from core.values.reason import Reason, ReasonCode
from dicom_node.deidentification.options import Option
from dicom_node.devices.reading import read_localizer_reference, read_scan
from dicom_node.media.taking import take_paths
from dicom_node.storage.archive import Archive, open_archive
from dicom_node.storage.bytes import Storage
from dicom_node.storage.ingest import ingest
from tests.builders.encoded_instance import encode_instance
from tests.builders.identified import assert_names_nobody, identified
from tests.builders.prediction import build_prediction
from tests.conformance.test_sample_dicom import SAMPLES, errors_of
from tests.fixtures.audit_trail import audited, told

ALL = frozenset(Option)


@pytest.fixture
def archive(settings: Settings, database: Database) -> Archive:
    opened = open_archive(settings, database, Storage(settings.storage))
    opened.prepare()
    return opened


def _run(archive: Archive, folder: Path, **choices: object) -> Exported:
    names = pseudonyms_of(archive.database, str(choices.pop("project", "test")))
    order = replace(ExportOrder(folder, names, ALL), **choices)  # type: ignore[arg-type]
    return export(archive.database, archive.storage, order)


def _written(folder: Path) -> list[Dataset]:
    return [dcmread(path) for path in sorted((folder / "objects").rglob("*.dcm"))]


def _listed(folder: Path) -> list[dict[str, str]]:
    return _rows(folder / "objects.csv")


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _keep(archive: Archive, **keywords: object) -> int:
    dataset = identified(**keywords)
    encoded = encode_instance(
        **{element.keyword: element.value for element in dataset if element.keyword}
    )
    return ingest(archive, encoded).instance_key


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_samples_go_out_valid_readable_and_nobodys(
    archive: Archive, tmp_path: Path, need: Callable[[str], None]
) -> None:
    need("dciodvfy")
    originals = {}
    for taken in take_paths(archive, [SAMPLES], "import"):
        if taken.sop_instance_uid:
            originals[taken.sop_instance_uid] = taken.path
    names = pseudonyms_of(archive.database, "test")

    exported = _run(archive, tmp_path / "out")

    assert exported.counts == {"written": len(originals)}
    written = {str(dataset.SOPInstanceUID): dataset for dataset in _written(tmp_path / "out")}
    assert len(originals) > 20
    for uid, path in originals.items():
        original, given = dcmread(path), written[names.uid(uid)]
        assert given.file_meta.TransferSyntaxUID == original.file_meta.TransferSyntaxUID
        assert given.get("PixelData") == original.get("PixelData")
        assert not str(given.PatientID).startswith("SAMPLE-")
        assert {"ImageComments", "StudyDescription"} & set(given.dir()) == set()
        place = next((tmp_path / "out").rglob(f"{names.uid(uid)}.dcm"))
        assert errors_of(place) <= errors_of(path), path


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_scan_measures_the_same_afterwards(archive: Archive, tmp_path: Path) -> None:
    list(take_paths(archive, [SAMPLES / "healthy"], "import"))

    _run(archive, tmp_path / "out")

    given = _written(tmp_path / "out")
    by_uid = {str(dataset.SOPInstanceUID): dataset for dataset in given}
    scans = [dataset for dataset in given if dataset.Modality == "OPT"]
    assert len(scans) == 2
    for scan in scans:
        original = dcmread(
            SAMPLES / "healthy" / f"{'right' if scan.ImageLaterality == 'R' else 'left'}_oct.dcm"
        )
        localizer = dcmread(
            SAMPLES
            / "healthy"
            / f"{'right' if scan.ImageLaterality == 'R' else 'left'}_localizer_op.dcm"
        )
        before = read_scan(original, localizer)
        after = read_scan(scan, by_uid[read_localizer_reference(scan) or ""])
        np.testing.assert_array_equal(after.pixels, before.pixels)
        assert after.laterality == before.laterality
        assert after.age_years == pytest.approx(before.age_years, abs=1)


def test_telling_objects_are_refused_and_listed(archive: Archive, tmp_path: Path) -> None:
    _keep(archive)
    _keep(archive, SOPInstanceUID="1.2.840.99999.7.4", BurnedInAnnotation="YES")
    _keep(
        archive,
        SOPInstanceUID="1.2.840.99999.7.5",
        SOPClassUID=SecondaryCaptureImageStorage,
        BurnedInAnnotation=None,
    )
    _keep(archive, SOPInstanceUID="1.2.840.99999.7.6", SOPClassUID=RawDataStorage)
    removed = _keep(archive, SOPInstanceUID="1.2.840.99999.7.7")
    unsaid = _keep(archive, SOPInstanceUID="1.2.840.99999.7.8", BurnedInAnnotation=None)
    lost = _keep(archive, SOPInstanceUID="1.2.840.99999.7.9")
    drawn = _keep(archive, SOPInstanceUID="1.2.840.99999.7.10")
    assert unsaid
    with archive.database.transaction() as session:
        row = session.get_one(InstanceRow, removed)
        row.bytes_removed_at = row.received_at
        archive.storage.delete(session.get_one(InstanceRow, lost).storage_key)
        reason = Reason(ReasonCode.DERIVED_OR_BURNED_IN, "Lines are drawn in.")
        refused = build_prediction(status=PredictionStatus.NOT_ASSESSABLE, reasons=(reason,))
        record_prediction(session, refused, drawn, None)

    exported = _run(archive, tmp_path / "out", options=frozenset())

    assert exported.counts == {
        "written": 2,
        "burned_in_annotation": 2,
        "secondary_capture": 1,
        "raw_data": 1,
        "bytes_removed": 1,
        "unreadable": 1,
    }
    assert exported.warnings == {"burned_in_annotation_unsaid": 1}
    for dataset in _written(tmp_path / "out"):
        assert_names_nobody(dataset)
    everything = b"".join(
        path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()
    )
    names = "".join(str(path) for path in (tmp_path / "out").rglob("*"))
    for telling in ("Okonkwo", "MRN-7719", "ACC-5521", "1.2.840.99999", "2024-03-20", "19340709"):
        assert telling.encode() not in everything
        assert telling not in names
    assert Counter(line["outcome"] for line in _listed(tmp_path / "out")) == {
        "written": 2,
        "refused": 6,
    }
    assert "burned_in_annotation" in (tmp_path / "out" / "README.md").read_text("utf-8")


def test_stopped_export_goes_on_and_a_torn_line_is_written_again(
    archive: Archive, tmp_path: Path
) -> None:
    for number in range(3):
        _keep(archive, SOPInstanceUID=f"1.2.840.99999.8.{number}")
    out = tmp_path / "out"
    assert _run(archive, out).new == 3
    content = (out / "objects.csv").read_bytes()
    (out / "objects.csv").write_bytes(content[:-20])
    _keep(archive, SOPInstanceUID="1.2.840.99999.8.9")

    exported = _run(archive, out)

    assert (exported.new, exported.counts) == (2, {"written": 4})
    assert len(_listed(out)) == 4
    assert len(_written(out)) == 4
    assert list(out.rglob("*.unfinished")) == []


def test_results_follow_the_options(archive: Archive, tmp_path: Path) -> None:
    key = _keep(archive)
    with archive.database.transaction() as session:
        record_prediction(session, build_prediction(age_years=93.0), key, None)

    assert _run(archive, tmp_path / "all").results == 1
    _run(archive, tmp_path / "none", options=frozenset())
    _run(archive, tmp_path / "table", as_parquet=True)

    (full,) = _rows(tmp_path / "all" / "results.csv")
    (bare,) = _rows(tmp_path / "none" / "results.csv")
    names = pseudonyms_of(archive.database, "test")
    (given,) = _written(tmp_path / "all")
    assert full["sop_instance_uid"] == given.SOPInstanceUID == names.uid("1.2.840.99999.7.3")
    assert full["patient"] == given.PatientID
    assert (full["age_years"], full["sex"]) == ("90", "F")
    assert full["acquired_on"]
    assert (bare["age_years"], bare["sex"], bare["acquired_on"]) == ("", "", "")
    assert parquet.read_table(tmp_path / "table" / "results.parquet").num_rows == 1


def test_days_and_model_select_studies(archive: Archive, tmp_path: Path) -> None:
    key = _keep(archive)
    _keep(
        archive,
        StudyInstanceUID="1.2.840.99999.9",
        SeriesInstanceUID="1.2.840.99999.9.1",
        SOPInstanceUID="1.2.840.99999.9.1.1",
        StudyDate="20250101",
    )
    with archive.database.transaction() as session:
        record_prediction(session, build_prediction(), key, None)

    def count(name: str, **choices: object) -> tuple[int, int]:
        exported = _run(archive, tmp_path / name, **choices)
        return exported.counts.get("written", 0), exported.results

    assert count("a") == (2, 1)
    assert count("b", since=date(2024, 3, 21)) == (1, 0)
    assert count("c", since=date(2024, 3, 20), until=date(2024, 3, 20)) == (1, 1)
    assert count("d", model="retinervenet") == (1, 1)
    assert count("e", model="retinervenet:9.9.9") == (0, 0)


def test_other_exports_and_strange_folders_are_refused(archive: Archive, tmp_path: Path) -> None:
    _keep(archive)
    _run(archive, tmp_path / "out")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("do not touch")

    for folder, choices in (
        ("out", {"project": "another"}),
        ("out", {"options": frozenset()}),
        ("out", {"since": date(2024, 1, 1)}),
        ("mine", {}),
    ):
        with pytest.raises(ExportElsewhere):
            _run(archive, tmp_path / folder, **choices)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_two_projects_share_no_pseudonym(archive: Archive, tmp_path: Path) -> None:
    _keep(archive)
    _run(archive, tmp_path / "a", project="a")
    _run(archive, tmp_path / "b", project="b")

    (one,), (other,) = _written(tmp_path / "a"), _written(tmp_path / "b")
    for keyword in ("PatientID", "StudyInstanceUID", "SOPInstanceUID", "StudyDate"):
        assert one[keyword].value != other[keyword].value


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_command_tells_what_it_did(archive: Archive, settings: Settings, tmp_path: Path) -> None:
    _keep(archive)
    environment = {
        **os.environ,
        "ARCUATE_HOME": str(settings.home),
        "ARCUATE_DATABASE_URL": settings.database_url,
        "ARCUATE_RESEARCH_PROJECT": "glaucoma",
    }
    command = [sys.executable, "-m", "arcuate", "export", "--out", str(tmp_path / "out"), "--json"]
    options = ["--option", "modified-dates", "--option", "patient-characteristics"]

    done = subprocess.run(
        [*command, *options],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"] == {"written": 1}
    assert json.loads((tmp_path / "out" / "export.json").read_text())["project"] == "glaucoma"
    again = subprocess.run(
        [*command, *options], env=environment, capture_output=True, check=True, cwd=tmp_path
    )
    assert json.loads(again.stdout)["new"] == 0
    rows = audited(archive.database)
    assert [told(row)[1:] for row in rows] == [("export", "research", "", [1], "success")] * 2
    for wrong in (["--option", "everything"], ["--since", "yesterday"], ["--project", "../x"]):
        refused = subprocess.run(
            [*command, *wrong],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        assert refused.returncode == 2, refused.stderr
