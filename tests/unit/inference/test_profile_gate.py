from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from core.perimetry.rnfl import normal_profile_um
from core.values.laterality import Laterality
from core.values.reason import ReasonCode
from core.values.scan import CircleGeometry, Device, Scan, ScanKind
from dicom_node.devices.reading import read_scan
from inference.errors import ModelDamaged
from inference.preparation.prepare import prepare
from inference.profile_gate import ProfileGate
from inference.profile_gate_fit import fit_gate
from inference.sector_profile import profiles_from_sectors, sectors_of
from inference.simulation.b_scans import FRAME, UM_PER_DEGREE, simulate_b_scan
from inference.simulation.eyes import SimulatedEyes, simulate_eyes
from inference.simulation.wedges import WedgePatterns
from inference.simulation.wrong_profiles import mirrored
from inference.training_eyes import VARIED_SHARE, draw_eyes

NORMAL_UM = normal_profile_um(60.0)


def eyes_of(seed: int, count: int) -> SimulatedEyes:
    return simulate_eyes(np.random.default_rng(seed), count, WedgePatterns())


@pytest.fixture(scope="module")
def gate() -> ProfileGate:
    eyes = draw_eyes(np.random.default_rng(1), 4000, WedgePatterns(), VARIED_SHARE)
    return fit_gate(np.random.default_rng(2), eyes.thickness_um, eyes.age_years)


@pytest.fixture(scope="module")
def eyes() -> SimulatedEyes:
    return eyes_of(3, 2000)


def refused(gate: ProfileGate, thickness_um: np.ndarray) -> float:
    return float(np.mean([reason is not None for reason in gate.judge(thickness_um)]))


def test_new_simulated_eyes_pass(gate: ProfileGate, eyes: SimulatedEyes) -> None:
    assert refused(gate, eyes.thickness_um) < 0.005


def test_eyes_rebuilt_from_their_sectors_pass(gate: ProfileGate, eyes: SimulatedEyes) -> None:
    rebuilt_um = profiles_from_sectors(sectors_of(eyes.thickness_um), eyes.age_years)

    assert refused(gate, rebuilt_um) < 0.005


def test_profiles_measured_in_simulated_b_scans_pass(
    gate: ProfileGate, eyes: SimulatedEyes
) -> None:
    measured_um = []
    for number in range(6):
        shown = simulate_b_scan(
            eyes.thickness_um[number], Laterality.RIGHT, np.random.default_rng(number)
        )
        columns = shown.pixels.shape[1]
        scan = Scan(
            kind=ScanKind.CIRCLE,
            pixels=shown.pixels.astype(np.float32) / 255,
            axial_um=FRAME.axial_um,
            lateral_um=360 * UM_PER_DEGREE / columns,
            geometry=CircleGeometry(shown.angles_degree, 3.5),
            laterality=Laterality.RIGHT,
            acquired_at=None,
            age_years=None,
            device=Device(),
        )
        measured_um.append(prepare(scan).thickness_um)

    assert gate.judge(np.stack(measured_um)) == [None] * 6


@pytest.mark.parametrize(
    ("thickness_um", "cause"),
    [
        (np.full(768, 100.0), "as flat as"),
        (np.full(768, 40.0), "as flat as"),
        (np.ones(768), "far from every eye"),
        (NORMAL_UM / 1000, "far from every eye"),
        (np.full(768, 300.0), "far from every eye"),
        (np.random.default_rng(1).permutation(NORMAL_UM), "jagged"),
        (np.random.default_rng(1).uniform(15, 200, 768), "jagged"),
        (NORMAL_UM * 280 / NORMAL_UM.max(), "swollen disc"),
        (np.roll(NORMAL_UM, 192), "from temporal over superior?"),
        (np.roll(NORMAL_UM, 75), "far from every eye"),
        (NORMAL_UM / 4.5, "more like a mistake"),
        (np.where(np.arange(768) == 5, np.nan, NORMAL_UM), "missing"),
        (np.where(np.arange(768) == 5, -1.0, NORMAL_UM), "missing"),
    ],
)
def test_what_is_no_profile_around_a_disc_is_refused_with_its_cause(
    gate: ProfileGate, thickness_um: np.ndarray, cause: str
) -> None:
    good, reason = gate.judge(np.stack([NORMAL_UM, thickness_um]))

    assert good is None
    assert reason is not None
    assert reason.code is ReasonCode.OUTSIDE_INTENDED_USE
    assert cause in reason.message


def test_turned_profiles_are_refused(gate: ProfileGate, eyes: SimulatedEyes) -> None:
    early_um = eyes.thickness_um[eyes.mean_deviation_db > -6]

    assert refused(gate, np.roll(early_um, 192, axis=1)) > 0.9
    assert refused(gate, np.roll(early_um, -192, axis=1)) > 0.9


def test_some_profiles_of_the_other_eye_are_noticed(gate: ProfileGate, eyes: SimulatedEyes) -> None:
    # Most are not: the two arcs stand nearly as far from temporal as from nasal.
    assert refused(gate, mirrored(eyes.thickness_um)) > 20 * refused(gate, eyes.thickness_um)


def test_judgement_does_not_depend_on_the_others(gate: ProfileGate, eyes: SimulatedEyes) -> None:
    some_um = np.concatenate([eyes.thickness_um[:3], np.full((1, 768), 80.0, np.float32)])

    assert [gate.judge(one[np.newaxis])[0] for one in some_um] == gate.judge(some_um)
    assert gate.judge(some_um[:0]) == []


def test_kept_gate_judges_as_before(gate: ProfileGate, eyes: SimulatedEyes, tmp_path: Path) -> None:
    gate.save(tmp_path / "gate.npz")
    kept = ProfileGate.load(tmp_path / "gate.npz")

    statistics = kept.statistics(eyes.thickness_um)
    assert np.array_equal(statistics, gate.statistics(eyes.thickness_um))
    assert kept.judge(eyes.thickness_um) == gate.judge(eyes.thickness_um)


def test_file_that_would_run_code_is_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "gate.npz"
    np.savez(path, centre=np.array([{"any": "object"}], dtype=object))

    with pytest.raises(ModelDamaged, match=r"gate\.npz is no gate for profiles"):
        ProfileGate.load(path)


@pytest.mark.parametrize("content", [b"", b"no archive"])
def test_file_that_is_no_archive_is_not_loaded(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "gate.npz"
    path.write_bytes(content)

    with pytest.raises(ModelDamaged, match="Install the model again"):
        ProfileGate.load(path)


def test_gate_with_a_missing_or_misshapen_array_is_not_loaded(
    gate: ProfileGate, tmp_path: Path
) -> None:
    arrays = {"centre": gate.centre, "directions": gate.directions, "scales": gate.scales}
    np.savez(tmp_path / "part.npz", **arrays)
    np.savez(tmp_path / "short.npz", **arrays, odds=gate.odds[1:], limits=gate.limits)
    np.savez(tmp_path / "nan.npz", **arrays, odds=gate.odds, limits=np.full(5, np.nan))

    for name, cause in (("part", "odds"), ("short", "odds has shape"), ("nan", "limits")):
        with pytest.raises(ModelDamaged, match=cause):
            ProfileGate.load(tmp_path / f"{name}.npz")
    with pytest.raises(ModelDamaged, match="Install the model again"):
        ProfileGate.load(tmp_path / "none.npz")


def test_public_scan_passes_and_does_not_when_turned(gate: ProfileGate, shared_data: Path) -> None:
    folder = shared_data / "oct" / "spectralis_circle_od"
    scan = read_scan(dcmread(folder / "bscan_opt.dcm"), dcmread(folder / "localizer_op.dcm"))
    measured_um = prepare(scan).thickness_um[np.newaxis]
    rebuilt_um = profiles_from_sectors(sectors_of(measured_um), np.array([52.9]))

    assert gate.judge(measured_um) == gate.judge(rebuilt_um) == [None]
    assert gate.judge(np.roll(measured_um, 192, axis=1)) != [None]
