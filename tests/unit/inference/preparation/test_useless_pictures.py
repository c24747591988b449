from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from pydicom import dcmread
from scipy import ndimage

from core.values.laterality import Laterality
from core.values.reason import ReasonCode
from core.values.scan import Scan
from inference.preparation.prepare import prepare
from inference.simulation.localizers import circle_on_localizer, simulate_localizer
from inference.simulation.macular_scans import simulate_macular_line
from inference.simulation.vessels import draw_vessels
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


def macular_line(_pixels: Pixels) -> Pixels:
    rng = np.random.default_rng(6)
    return simulate_macular_line(Laterality.RIGHT, rng).astype(np.float32) / 255


def fundus_picture(_pixels: Pixels) -> Pixels:
    """An infrared picture of the disc and its vessels where a B-scan should be."""
    rng = np.random.default_rng(7)
    disc = circle_on_localizer(Laterality.RIGHT)
    shown = simulate_localizer(draw_vessels(rng), Laterality.RIGHT, rng, disc)
    return ndimage.zoom(shown.astype(np.float32) / 255, (496 / 768, 1), order=1)


def viewer_screenshot(pixels: Pixels) -> Pixels:
    """A window with two panels, a frame, buttons and text, in colour, exported as grey."""
    window = Image.new("RGB", (768, 496), (48, 48, 56))
    draw = ImageDraw.Draw(window)
    fundus = Image.fromarray(np.rint(fundus_picture(pixels) * 255).astype(np.uint8))
    b_scan = Image.fromarray(np.rint(pixels * 255).astype(np.uint8))
    window.paste(fundus.resize((260, 260)).convert("RGB"), (12, 60))
    window.paste(b_scan.resize((470, 300)).convert("RGB"), (286, 60))
    draw.ellipse((82, 130, 202, 250), outline=(0, 255, 0), width=2)
    for box in ((10, 58, 273, 321), (284, 58, 757, 361)):
        draw.rectangle(box, outline=(220, 220, 220))
    for left in range(12, 700, 90):
        draw.rectangle((left, 10, left + 70, 34), fill=(90, 110, 160))
        draw.text((left + 8, 16), "Analysis", fill=(255, 255, 255))
    for row in range(380, 480, 16):
        draw.text((16, row), "OD  RNFL  G 98 µm   Q: 31 dB   ART 100   HS", fill=(230, 230, 90))
    return np.asarray(window.convert("L"), np.float32) / 255


def with_drawn_borders(grey: float, rows: int) -> Callable[[Pixels], Pixels]:
    def draw(pixels: Pixels) -> Pixels:
        layers = prepare(scan_with(pixels)).layers
        assert layers is not None
        drawn = pixels.copy()
        for border in (layers.ilm_row, layers.rnfl_row):
            for row in range(rows):
                drawn[np.rint(border).astype(int) + row, np.arange(pixels.shape[1])] = grey
        return drawn

    return draw


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
    "macular line": macular_line,
    "fundus picture": fundus_picture,
    "screenshot of a viewer": viewer_screenshot,
    "white borders drawn in": with_drawn_borders(1.0, 1),
    "grey borders drawn in": with_drawn_borders(0.5, 2),
    "black borders drawn in": with_drawn_borders(0.0, 1),
    "blurred": lambda pixels: ndimage.gaussian_filter(pixels, 5, mode=("nearest", "wrap")),
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
        ReasonCode.DERIVED_OR_BURNED_IN,
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
        "robustness/pydicom/JPEG2000.dcm",
        "robustness/dicomParser/CT1_UNC.fragmented_bot_jpeg_ls.80.dcm",
        "robustness/pydicom/liver_1frame.dcm",
        "robustness/pydicom/examples_palette.dcm",
        "robustness/pydicom/image_dfl.dcm",
    ],
)
def test_prepare_of_another_picture_is_not_assessable(shared_data: Path, path: str) -> None:
    other = dcmread(shared_data / path).pixel_array.astype(np.float32)
    other = (other - other.min()) / (other.max() - other.min())
    fitted = ndimage.zoom(other, (496 / other.shape[0], 768 / other.shape[1]), order=1)

    assert not prepare(scan_with(fitted)).quality.assessable
