from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from core.errors import ScanRefused
from core.values.laterality import Laterality
from core.values.profile import Layers
from core.values.reason import ReasonCode
from core.values.scan import CircleGeometry, Scan
from dicom_node.devices.reading import read_scan
from inference.preparation.prepare import prepare
from inference.simulation.rendering import Light
from sample_dicom.eye import Recording
from tests.builders.opt import build_circle_opt, build_localizer
from tests.unit.inference.preparation.circles import (
    AXIAL_UM,
    Pixels,
    profile_with_loss,
    scan_with,
    simulated,
)


def thickness_um(layers: Layers | None, axial_um: float = AXIAL_UM) -> NDArray[np.float32]:
    assert layers is not None
    return (layers.rnfl_row - layers.ilm_row) * np.float32(axial_um)


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
    assert float(np.abs(difference).mean()) < 4.5
    assert abs(float(difference.mean())) < 1.0
    assert profile.sectors_um == pytest.approx(
        {"T": 86, "TS": 161, "NS": 121, "N": 80, "NI": 136, "TI": 168}, abs=8
    )


@pytest.mark.parametrize(
    "display",
    [
        lambda grey: grey**2,
        lambda grey: np.round(grey**4 * 65535) / 65535,
        lambda grey: 0.4 * grey,
        lambda grey: 1 + np.log10(np.maximum(grey**4, 1e-6)) / 6,
        lambda grey: 1 + np.log10(np.maximum(grey**4, 1e-3)) / 3,
        lambda grey: np.maximum(grey - 0.2, 0) / 0.8,
    ],
    ids=["square", "linear", "dim", "logarithmic", "clipped logarithmic", "window"],
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
    assert float(np.abs(difference).mean()) < 4.75
    assert abs(float(difference.mean())) < 1.0


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
    assert float(np.abs(difference).mean()) < 3.0


@pytest.mark.parametrize("seed", range(4))
def test_prepare_finds_the_thin_layer_of_advanced_loss(seed: int) -> None:
    thin = 38 + 0.15 * (profile_with_loss(None) - 38)
    truth = simulated(thin, seed=seed)

    profile = prepare(scan_with(truth.pixels / 255))

    difference = thickness_um(profile.layers) - thickness_um(truth.layers)
    assert profile.quality.assessable
    assert float(np.abs(difference).mean()) < 3.0


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


def test_prepare_of_a_picture_without_contrast_has_no_thickness() -> None:
    profile = prepare(scan_with(np.zeros((496, 768))))

    assert profile.layers is None
    assert np.isnan(profile.thickness_um).all()


def test_prepare_respects_the_devices_own_signal_strength() -> None:
    quality = prepare(replace(scan_with(simulated().pixels / 255), signal_db=9.0)).quality

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
