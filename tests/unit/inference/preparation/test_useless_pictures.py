from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from scipy import ndimage

from core.values.reason import ReasonCode
from core.values.scan import Scan
from inference.preparation.prepare import prepare
from tests.unit.inference.preparation.circles import Pixels, scan_with, simulated


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
