"""What is given out breaks no rule that its original kept."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom import Dataset, FileDataset, dcmread

from core.values.identity import PatientIdentity
from dicom_node.deidentification.deidentifying import Deidentifier
from dicom_node.deidentification.options import Option
from tests.builders.identified import NAMES, as_file, bytes_of
from tests.builders.opv import build_opv
from tests.conformance.test_sample_dicom import errors_of

#: `Removed` stands where PS3.3 wants a code of a list, in what the table has replaced.
SCANS = ("spectralis_circle_od", "spectralis_line_macula_od")


def _errors(dataset: Dataset, path: Path) -> set[str]:
    path.write_bytes(bytes_of(dataset))
    return errors_of(path)


def _new_errors(original: FileDataset, tmp_path: Path, options: frozenset[Option]) -> set[str]:
    before = _errors(original, tmp_path / "before.dcm")
    patient = PatientIdentity(str(original.PatientID), None, str(original.PatientName))
    Deidentifier(NAMES, options).deidentify(original, patient)
    return _errors(original, tmp_path / "after.dcm") - before


@pytest.mark.parametrize("options", [frozenset(), frozenset(Option)], ids=["none", "all"])
@pytest.mark.parametrize("name", ["bscan_opt.dcm", "localizer_op.dcm"])
@pytest.mark.parametrize("scan", SCANS)
def test_scan_of_a_device(
    need: Callable[[str], None],
    shared_data: Path,
    tmp_path: Path,
    scan: str,
    name: str,
    options: frozenset[Option],
) -> None:
    need("dciodvfy")

    assert _new_errors(dcmread(shared_data / "oct" / scan / name), tmp_path, options) == set()


@pytest.mark.parametrize("options", [frozenset(), frozenset(Option)], ids=["none", "all"])
def test_measured_field(
    need: Callable[[str], None], tmp_path: Path, options: frozenset[Option]
) -> None:
    need("dciodvfy")

    assert _new_errors(as_file(build_opv()), tmp_path, options) == set()
