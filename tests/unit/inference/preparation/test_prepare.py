from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread
from scipy import ndimage

from core.errors import ScanRefused
from core.perimetry.rnfl import normal_profile_um
from core.values.laterality import Laterality
from core.values.profile import PROFILE_ANGLES_DEGREE, Layers
from core.values.reason import ReasonCode
from core.values.scan import CircleGeometry, Device, Scan, ScanKind
from dicom_node.devices.reading import read_scan
from inference.preparation.prepare import prepare
from inference.simulation.b_scans import BScanOptions, SimulatedBScan, simulate_b_scan
from inference.simulation.rendering import Light
from sample_dicom.eye import Recording
from tests.builders.opt import build_circle_opt, build_localizer

AXIAL_UM = 3.872
Pixels = NDArray[np.float32]


def profile_with_loss(centre_degree: float | None, share: float = 0.6) -> NDArray[np.float64]:
    """A profile of a normal eye, or one that lost fibres around an angle."""
    profile = np.asarray(normal_profile_um(60.0), np.float64)
    if centre_degree is None:
        return profile
    return profile * (
        1 - share * np.exp(-0.5 * ((PROFILE_ANGLES_DEGREE - centre_degree) / 25) ** 2)
    )


def simulated(
    thickness_um: NDArray[np.float64] | None = None, light: Light | None = None, seed: int = 1
) -> SimulatedBScan:
    thickness_um = profile_with_loss(None) if thickness_um is None else thickness_um
    options = BScanOptions(light=light or Light())
    return simulate_b_scan(thickness_um, Laterality.RIGHT, np.random.default_rng(seed), options)


def scan_with(pixels: NDArray[np.generic], axial_um: float = AXIAL_UM) -> Scan:
    columns = pixels.shape[1]
    return Scan(
        kind=ScanKind.CIRCLE,
        pixels=np.ascontiguousarray(pixels, np.float32),
        axial_um=axial_um,
        lateral_um=11310 / columns,
        geometry=CircleGeometry(np.arange(columns) * 360.0 / columns, 3.6),
        laterality=Laterality.RIGHT,
        acquired_at=None,
        age_years=None,
        device=Device(),
    )


def thickness_um(layers: Layers | None, axial_um: float = AXIAL_UM) -> NDArray[np.float32]:
    assert layers is not None
    return (layers.rnfl_row - layers.ilm_row) * np.float32(axial_um)


@pytest.fixture(scope="module")
def spectralis(shared_data: Path) -> Scan:
    folder = shared_data / "oct" / "spectralis_circle_od"
    return read_scan(dcmread(folder / "bscan_opt.dcm"), dcmread(folder / "localizer_op.dcm"))


@pytest.fixture(scope="module")
def device_thickness_um(shared_data: Path) -> NDArray[np.float64]:
    file = shared_data / "oct" / "spectralis_circle_od" / "device_layers.csv"
    return np.loadtxt(file, delimiter=",", skiprows=1)[:, 4]


def test_prepare_measures_the_spectralis_circle_as_the_device_does(
    spectralis: Scan, device_thickness_um: NDArray[np.float64]
) -> None:
    profile = prepare(spectralis)

    difference = thickness_um(profile.layers) - device_thickness_um
    assert profile.quality.assessable
    assert float(np.abs(difference).mean()) < 5.0
    assert abs(float(difference.mean())) < 2.5
    assert profile.sectors_um == pytest.approx(
        {"T": 86, "TS": 161, "NS": 121, "N": 80, "NI": 136, "TI": 168}, abs=8
    )


@pytest.mark.parametrize(
    "display",
    [
        lambda grey: grey**2,
        lambda grey: np.round(grey**4 * 65535) / 65535,
        lambda grey: 0.4 * grey,
        lambda grey: 1 + np.log10(np.maximum(grey**4, 1e-6)) / 5,
    ],
    ids=["square", "linear", "dim", "logarithmic"],
)
def test_prepare_does_not_depend_on_how_the_device_displays(
    spectralis: Scan,
    device_thickness_um: NDArray[np.float64],
    display: Callable[[Pixels], Pixels],
) -> None:
    pixels = np.clip(display(spectralis.pixels), 0, 1).astype(np.float32)

    profile = prepare(replace(spectralis, pixels=pixels))

    difference = thickness_um(profile.layers) - device_thickness_um
    assert profile.quality.assessable
    assert float(np.abs(difference).mean()) < 6.0


@pytest.mark.parametrize(("rows", "columns"), [(1024, 768), (496, 512), (496, 1536), (372, 768)])
def test_prepare_does_not_depend_on_the_sampling_of_the_device(
    spectralis: Scan, rows: int, columns: int
) -> None:
    factors = rows / 496, columns / 768
    pixels = ndimage.zoom(spectralis.pixels, factors, order=1, grid_mode=True, mode="grid-wrap")
    resampled = replace(
        scan_with(np.clip(pixels, 0, 1), AXIAL_UM / factors[0]), lateral_um=14.722 / factors[1]
    )

    found = prepare(resampled)

    assert found.quality.assessable
    assert found.layers is not None
    assert found.layers.ilm_row.shape == (columns,)
    assert float(np.abs(found.thickness_um - prepare(spectralis).thickness_um).mean()) < 2.5


@pytest.mark.parametrize("centre_degree", [None, 75.0, 285.0])
@pytest.mark.parametrize("signal_factor", [1.0, 0.2])
def test_prepare_finds_the_true_thickness_of_simulated_eyes(
    centre_degree: float | None, signal_factor: float
) -> None:
    truth = simulated(profile_with_loss(centre_degree), Light(signal_factor=signal_factor))

    profile = prepare(scan_with(truth.pixels / 255))

    difference = thickness_um(profile.layers) - thickness_um(truth.layers)
    assert profile.quality.assessable
    assert float(np.abs(difference).mean()) < 3.5


@pytest.mark.parametrize("seed", range(4))
def test_prepare_finds_the_thin_layer_of_advanced_loss(seed: int) -> None:
    thin = 38 + 0.15 * (profile_with_loss(None) - 38)
    truth = simulated(thin, seed=seed)

    profile = prepare(scan_with(truth.pixels / 255))

    difference = thickness_um(profile.layers) - thickness_um(truth.layers)
    assert profile.quality.assessable
    assert float(np.abs(difference).mean()) < 3.5


def test_prepare_does_not_depend_on_where_the_circle_starts() -> None:
    scan = scan_with(simulated().pixels / 255)
    turned = replace(
        scan,
        pixels=np.roll(scan.pixels, 301, axis=1),
        geometry=CircleGeometry(np.roll(scan.geometry.angles_degree, 301), 3.6),
    )

    np.testing.assert_allclose(prepare(turned).thickness_um, prepare(scan).thickness_um, atol=0.05)


def test_prepare_does_not_depend_on_which_way_the_circle_runs() -> None:
    scan = scan_with(simulated().pixels / 255)
    mirrored = replace(
        scan,
        pixels=np.ascontiguousarray(scan.pixels[:, ::-1]),
        geometry=CircleGeometry(scan.geometry.angles_degree[::-1].copy(), 3.6),
    )

    difference = prepare(mirrored).thickness_um - prepare(scan).thickness_um
    assert float(np.abs(difference).mean()) < 0.5


@pytest.mark.parametrize("bits", [8, 16])
def test_prepare_gives_both_eyes_the_same_profile_in_one_frame(bits: int) -> None:
    lost = profile_with_loss(285.0)
    profiles = {
        eye: prepare(
            read_scan(
                build_circle_opt(laterality=eye, thickness_um=lost, recording=Recording(bits=bits)),
                build_localizer(laterality=eye),
            )
        )
        for eye in Laterality
    }

    right, left = (profiles[eye] for eye in Laterality)
    assert right.quality.assessable
    assert left.quality.assessable
    assert float(np.abs(right.thickness_um - left.thickness_um).mean()) < 3.0
    assert np.corrcoef(right.thickness_um, lost)[0, 1] > 0.98
    assert np.corrcoef(left.thickness_um, lost)[0, 1] > 0.98
    assert right.sectors_um["TI"] < 0.75 * right.sectors_um["TS"]
    assert left.sectors_um["TI"] < 0.75 * left.sectors_um["TS"]


def noise(seed: int, mean: float, spread: float) -> Pixels:
    rng = np.random.default_rng(seed)
    return np.clip(rng.normal(mean, spread, (496, 768)), 0, 1).astype(np.float32)


def good() -> Pixels:
    return (simulated().pixels / 255).astype(np.float32)


def with_blink(pixels: Pixels) -> Pixels:
    blinked = pixels.copy()
    blinked[:, 100:180] = 0
    return blinked


def overexposed(pixels: Pixels) -> Pixels:
    return np.clip(2.0 * pixels, 0, 1)


FAULTS: dict[str, Callable[[Pixels], Pixels]] = {
    "black": np.zeros_like,
    "white": np.ones_like,
    "noise": lambda pixels: noise(1, 0.5, 0.2),
    "dark noise": lambda pixels: noise(2, 0.05, 0.05),
    "coarse noise": lambda pixels: ndimage.gaussian_filter(noise(3, 0.5, 0.5), 6),
    "drowned in noise": lambda pixels: np.clip(0.15 * pixels + noise(4, 0.5, 0.3), 0, 1),
    "upside down": lambda pixels: pixels[::-1],
    "negative": lambda pixels: 1 - pixels,
    "ramp": lambda pixels: np.linspace(0, 1, pixels.size).reshape(pixels.shape),
    "stripes": lambda pixels: (np.arange(496)[:, np.newaxis] // 40 % 2) * np.ones(768),
    "turned by 90 degree": lambda pixels: ndimage.zoom(pixels.T, (496 / 768, 768 / 496), order=1),
    "columns shuffled": lambda pixels: np.random.default_rng(5).permutation(pixels, axis=1),
    "overexposed": overexposed,
    "blink": with_blink,
    "cut at the top": lambda pixels: np.roll(pixels, -190, axis=0),
    "cut at the bottom": lambda pixels: np.pad(pixels[:225], ((271, 0), (0, 0))),
    "halves shifted": lambda pixels: np.hstack(
        (pixels[:, :384], np.roll(pixels[:, 384:], 80, axis=0))
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_prepare_of_a_useless_picture_is_not_assessable(fault: str) -> None:
    profile = prepare(scan_with(FAULTS[fault](good())))

    assert (profile.quality.assessable, profile.quality.score) == (False, 0.0)
    assert {reason.code for reason in profile.quality.reasons} <= {
        ReasonCode.SIGNAL_TOO_LOW,
        ReasonCode.SEGMENTATION_UNRELIABLE,
    }


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_prepare_of_the_spectralis_circle_made_useless_is_not_assessable(
    spectralis: Scan, fault: str
) -> None:
    faulty = np.ascontiguousarray(FAULTS[fault](spectralis.pixels), np.float32)

    assert not prepare(replace(spectralis, pixels=faulty)).quality.assessable


@pytest.mark.parametrize(
    "path",
    [
        "oct/spectralis_circle_od/localizer_op.dcm",
        "oct/spectralis_line_macula_od/bscan_opt.dcm",
        "robustness/pydicom/CT_small.dcm",
        "robustness/pydicom/MR_small_implicit.dcm",
        "robustness/pydicom/image_dfl.dcm",
    ],
)
def test_prepare_of_another_picture_is_not_assessable(shared_data: Path, path: str) -> None:
    other = dcmread(shared_data / path).pixel_array.astype(np.float32)
    other = (other - other.min()) / (other.max() - other.min())
    fitted = ndimage.zoom(other, (496 / other.shape[0], 768 / other.shape[1]), order=1)

    assert not prepare(scan_with(fitted)).quality.assessable


def test_prepare_of_a_picture_without_contrast_has_no_thickness() -> None:
    profile = prepare(scan_with(np.zeros((496, 768))))

    assert profile.layers is None
    assert np.isnan(profile.thickness_um).all()


def test_prepare_respects_the_devices_own_signal_strength() -> None:
    quality = prepare(replace(scan_with(good()), signal_db=9.0)).quality

    assert [reason.code for reason in quality.reasons] == [ReasonCode.SIGNAL_TOO_LOW]


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((10, 768)), np.zeros((496, 3)), np.full((496, 768), np.nan)],
    ids=["flat", "narrow", "no numbers"],
)
def test_prepare_refuses_what_is_no_picture(pixels: Pixels) -> None:
    with pytest.raises(ScanRefused) as refused:
        prepare(scan_with(pixels))

    assert refused.value.reason.code is ReasonCode.PIXELS_UNREADABLE
