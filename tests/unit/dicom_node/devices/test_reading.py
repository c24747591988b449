import json
import subprocess
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import RawDataStorage

from core.errors import ScanRefused
from core.perimetry.rnfl import normal_profile_um
from core.values.laterality import Laterality
from core.values.reason import ReasonCode
from core.values.scan import Device, Scan, ScanKind
from dicom_node.devices.reading import read_localizer_reference, read_scan
from tests.builders.opt import SCANNED_AT, build_circle_opt, build_line_opt, build_localizer

#: What a sample holds, by the end of its name.
KINDS = {
    "oct": ScanKind.CIRCLE,
    "volume": ScanKind.VOLUME,
    "thickness_map": ScanKind.THICKNESS_MAP,
    "fundus": ScanKind.FUNDUS,
}
SAMPLES = Path(__file__).parents[4] / "sample_dicom"


def code_of(dataset: Dataset, localizer: Dataset | None = None) -> ReasonCode:
    with pytest.raises(ScanRefused) as refused:
        read_scan(dataset, localizer)
    return refused.value.reason.code


@pytest.fixture(scope="module")
def spectralis(shared_data: Path) -> Scan:
    folder = shared_data / "oct" / "spectralis_circle_od"
    return read_scan(dcmread(folder / "bscan_opt.dcm"), dcmread(folder / "localizer_op.dcm"))


def test_reading_gives_the_spectralis_circle_as_the_device_took_it(spectralis: Scan) -> None:
    assert spectralis.kind is ScanKind.CIRCLE
    assert spectralis.laterality is Laterality.RIGHT
    assert spectralis.device == Device("Heidelberg Engineering", "Spectralis", "PUBLIC-SAMPLE")
    assert spectralis.acquired_at is not None
    assert spectralis.acquired_at.isoformat() == "2011-01-15T10:15:00"
    assert spectralis.age_years == pytest.approx(52.88, abs=0.01)
    assert (spectralis.axial_um, spectralis.lateral_um) == pytest.approx((3.872, 14.722))
    assert spectralis.geometry.diameter_mm == pytest.approx(3.60, abs=0.005)
    assert spectralis.notes == ()


def test_reading_finds_the_spectralis_circle_temporal_first_then_superior(
    spectralis: Scan,
) -> None:
    angles = spectralis.geometry.angles_degree

    np.testing.assert_allclose(angles, np.arange(768) * 360 / 768, atol=0.01)


def test_reading_refuses_the_macular_line(shared_data: Path) -> None:
    folder = shared_data / "oct" / "spectralis_line_macula_od"

    code = code_of(dcmread(folder / "bscan_opt.dcm"), dcmread(folder / "localizer_op.dcm"))

    assert code is ReasonCode.SCAN_PATTERN_UNSUPPORTED


def test_reading_works_without_the_localizer_and_says_so(shared_data: Path) -> None:
    folder = shared_data / "oct" / "spectralis_circle_od"

    scan = read_scan(dcmread(folder / "bscan_opt.dcm"))

    assert scan.geometry.diameter_mm == pytest.approx(3.60, abs=0.005)
    assert [note.split(" ")[0] for note in scan.notes] == ["The", "Whether"]


def samples() -> list[tuple[str, str | None]]:
    studies = json.loads((SAMPLES / "manifest.json").read_text())["studies"]
    return [(file["path"], file["reason"]) for study in studies for file in study["files"]]


@pytest.mark.parametrize(("path", "reason"), samples())
def test_reading_ends_for_each_sample_as_its_manifest_says(path: str, reason: str | None) -> None:
    file = SAMPLES / path
    dataset = dcmread(file)
    side, what = file.stem.split("_", maxsplit=1)
    localizer = file.with_name(f"{side}_localizer_op.dcm")
    with_localizer = (
        dataset,
        dcmread(localizer) if localizer.exists() and localizer != file else None,
    )

    if reason is None:
        scan = read_scan(*with_localizer)
        assert (scan.kind, scan.notes) == (KINDS[what], ())
    else:
        assert code_of(*with_localizer) == reason


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_reading_refuses_every_odd_file(shared_data: Path) -> None:
    files = [file for file in (shared_data / "robustness").glob("[dp]*/*") if file.is_file()]
    codes = set()
    for file in files:
        dataset = dcmread(file, force=True)
        codes.add(code_of(dataset))
        read_localizer_reference(dataset)

    assert (len(files), codes) == (47, {ReasonCode.NOT_MODEL_INPUT})


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_reading_refuses_every_odd_file_that_claims_to_be_a_scan(shared_data: Path) -> None:
    for file in (shared_data / "robustness").glob("[dp]*/*"):
        dataset = dcmread(file, force=True)
        dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.77.1.5.4"
        dataset.ImageType = ["ORIGINAL", "PRIMARY"]
        dataset.ImageLaterality = dataset.Laterality = "R"

        assert code_of(dataset) in {
            ReasonCode.PIXELS_UNREADABLE,
            ReasonCode.PIXELS_TRUNCATED,
            ReasonCode.PATTERN_UNKNOWN,
            ReasonCode.LATERALITY_CONFLICT,  # two CT files say U in each frame
        }


@pytest.mark.parametrize(
    ("overrides", "code"),
    [
        ({"ImageType": ["DERIVED", "PRIMARY"]}, ReasonCode.DERIVED_OR_BURNED_IN),
        ({"BurnedInAnnotation": "YES"}, ReasonCode.DERIVED_OR_BURNED_IN),
        ({"InConcatenationTotalNumber": 3}, ReasonCode.NOT_MODEL_INPUT),
        ({"frame_laterality": "L"}, ReasonCode.LATERALITY_CONFLICT),
        ({"spacing_mm": None}, ReasonCode.SPACING_MISSING),
        ({"spacing_mm": (0.0039, 0.02)}, ReasonCode.SPACING_IMPLAUSIBLE),
        ({"coordinates": None}, ReasonCode.PATTERN_UNKNOWN),
        ({"pixels": None}, ReasonCode.PIXELS_UNREADABLE),
        ({"truncated": True}, ReasonCode.PIXELS_TRUNCATED),
        ({"ImageLaterality": None, "frame_laterality": None}, ReasonCode.LATERALITY_MISSING),
        ({"ImageLaterality": "B", "frame_laterality": None}, ReasonCode.LATERALITY_BOTH),
    ],
)
def test_reading_refuses_a_scan_with_one_fault(overrides: dict[str, Any], code: ReasonCode) -> None:
    assert code_of(build_circle_opt(**overrides), build_localizer()) is code


def test_reading_refuses_a_localizer_of_the_other_eye() -> None:
    scan = build_circle_opt()
    localizer = build_localizer(ImageLaterality="L")

    assert code_of(scan, localizer) is ReasonCode.LATERALITY_CONFLICT


def test_reading_leaves_a_foreign_picture_aside() -> None:
    foreign = build_localizer(laterality=Laterality.LEFT)

    scan = read_scan(build_circle_opt(), foreign)

    assert scan.laterality is Laterality.RIGHT
    assert len(scan.notes) == 3


@pytest.mark.parametrize(
    "dataset", [build_localizer(), Dataset(), build_circle_opt(SOPClassUID=RawDataStorage)]
)
def test_reading_leaves_other_objects_alone(dataset: Dataset) -> None:
    assert code_of(dataset) is ReasonCode.NOT_MODEL_INPUT


def test_reading_refuses_a_line() -> None:
    assert code_of(build_line_opt()) is ReasonCode.SCAN_PATTERN_UNSUPPORTED


def test_reading_tells_time_and_age() -> None:
    scan = read_scan(build_circle_opt(age_years=71.0), build_localizer())

    assert scan.acquired_at == SCANNED_AT
    assert scan.age_years == pytest.approx(71.0, abs=0.01)


def test_reading_invents_no_age() -> None:
    assert read_scan(build_circle_opt(age_years=None), build_localizer()).age_years is None


def test_reading_takes_the_usual_of_several_circles() -> None:
    dataset = build_circle_opt()
    (shared,) = dataset.SharedFunctionalGroupsSequence
    (usual,) = dataset.PerFrameFunctionalGroupsSequence
    lateral_mm = float(shared.PixelMeasuresSequence[0].PixelSpacing[1])
    wider, measures = deepcopy(usual), Dataset()
    (place,) = wider.OphthalmicFrameLocationSequence
    points = np.array(place.ReferenceCoordinates).reshape(-1, 2)
    middle = points.mean(axis=0)
    place.ReferenceCoordinates = [float(n) for n in (middle + 1.3 * (points - middle)).ravel()]
    measures.PixelSpacing = [0.003872, round(lateral_mm * 1.3, 6)]
    wider.PixelMeasuresSequence = Sequence([measures])
    dataset.PerFrameFunctionalGroupsSequence = Sequence([wider, usual])
    dataset.NumberOfFrames = 2
    single = dataset.PixelData
    dataset.PixelData = bytes(len(single)) + single

    for localizer in (build_localizer(), None):
        scan = read_scan(dataset, localizer)

        assert scan.notes[-1] == "Frame 2 of 2 is the circle that was read."
        assert float(scan.pixels.mean()) > 0


def test_reading_names_the_localizer() -> None:
    assert read_localizer_reference(build_circle_opt()) == build_localizer().SOPInstanceUID


@pytest.mark.parametrize("dataset", [Dataset(), build_circle_opt(coordinates=None)])
def test_reading_names_no_localizer_where_none_is_referenced(dataset: Dataset) -> None:
    dataset.ReferencedImageSequence = Sequence([])
    for group in dataset.get("PerFrameFunctionalGroupsSequence", ()):
        group.ReferencedImageSequence = Sequence([])

    assert read_localizer_reference(dataset) is None


def test_reading_gives_both_eyes_the_same_frame() -> None:
    profile = normal_profile_um(60.0)
    scans = {
        eye: read_scan(
            build_circle_opt(laterality=eye, thickness_um=profile), build_localizer(laterality=eye)
        )
        for eye in Laterality
    }

    right, left = (scans[eye].geometry.angles_degree for eye in Laterality)
    np.testing.assert_allclose((right[:2] + 0.5) % 360, (left[:2] + 0.5) % 360, atol=1e-3)


def test_reading_survives_a_dump_and_rewrite_by_another_toolkit(
    tmp_path: Path, need: Callable[[str], None]
) -> None:
    need("dcmconv")
    build_circle_opt().save_as(tmp_path / "original.dcm", enforce_file_format=True)
    command = ["dcmconv", "+g=", "-e", "+ti", tmp_path / "original.dcm", tmp_path / "written.dcm"]
    subprocess.run(command, check=True)

    assert read_scan(dcmread(tmp_path / "written.dcm")).laterality is Laterality.RIGHT
