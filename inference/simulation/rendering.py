"""From layers to the picture an OCT shows of them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from inference.simulation.displays import Display
from inference.simulation.retina import CHOROID_UM, LAYERS, NERVE_FIBRE_LAYER, VITREOUS, Retina
from inference.simulation.smooth_noise import smooth_noise
from inference.simulation.speckle import background, speckle

#: Optical blur (SD) in rows and columns; with it the membrane is as wide as on one real scan.
BLUR_PX: Final = (1.0, 0.5)

#: How far inside the two lines of a device the nerve fibres begin and end to shine. The truth of a
#: simulated scan is where a device draws: on one real scan its lines lie 0.5 rows below and 0.15
#: above where the grey value is halfway, which half the intensity of a blurred edge does not give.
MEMBRANE_UM: Final = 2.5
FRINGE_UM: Final = 1.5

#: Rows over which a vessel's shadow sets in.
SHADOW_ONSET_ROWS: Final = 3.0


#: Intensity of the posterior hyaloid and of the space behind it, relative to full scale.
HYALOID: Final = 2.5e-3
HYALOID_SPACE: Final = 4e-4


@dataclass(frozen=True)
class Light:
    """How a scan was lit and recorded.

    Attributes
    ----------
    signal_factor
        Brightness of everything the eye reflects; 1 is a good scan, below 0.1 a lost one.
    noise_factor
        Strength of the detector's background; 1 is a good scan.
    averaged_frames
        Frames averaged by the device: more of them, less speckle.
    blur_rows
        Blur (SD) of the picture in rows beyond that of a good one; half as much across.
    """

    signal_factor: float = 1.0
    noise_factor: float = 1.0
    averaged_frames: int = 20
    blur_rows: float = 0.0


@dataclass(frozen=True)
class Frame:
    """The size of a B-scan: number of rows, height of one in µm."""

    rows: int
    axial_um: float

    @property
    def row_numbers(self) -> NDArray[np.float64]:
        """Rows as a column vector; a row's number is its centre."""
        return np.arange(self.rows, dtype=np.float64)[:, None]


def render(
    retina: Retina,
    passed: NDArray[np.float64],
    frame: Frame,
    light: Light,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Return 8-bit grey values by power; see `intensity` for the parameters."""
    return Display().grey_values(intensity(retina, passed, frame, light, rng)).astype(np.uint8)


def intensity(
    retina: Retina,
    passed: NDArray[np.float64],
    frame: Frame,
    light: Light,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return the light recorded of a retina under vessels, shape (rows, columns), full scale 1.

    Parameters
    ----------
    retina
        The layers.
    passed
        Share of light the vessels let pass, shape (columns,), 0 to 1.
    frame
        The picture to fill.
    light
        How it was recorded.
    rng
        Draws speckle, background and the texture of the choroid.
    """
    tissue = _tissue(retina, frame, rng) * _shadows(retina, passed, frame)
    signal = light.signal_factor * gaussian_filter(tissue, BLUR_PX, mode=["nearest", "wrap"])
    signal *= speckle(rng, signal.shape, light.averaged_frames)
    recorded = signal + light.noise_factor * background(rng, signal.shape)
    if not light.blur_rows:
        return recorded
    further = (light.blur_rows, light.blur_rows / 2)
    return np.asarray(gaussian_filter(recorded, further, mode=["nearest", "wrap"]))


def _tissue(retina: Retina, frame: Frame, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return what each pixel would reflect if all light reached it."""
    columns = retina.ilm_row.size
    row = frame.row_numbers
    bottom = np.full(columns, frame.rows + 1.0)
    picture = VITREOUS * _covered(row, np.full(columns, -1.0), retina.ilm_row)
    picture += _posterior_hyaloid(row, retina.ilm_row, rng)
    tops = _as_seen(retina.tops_row, frame)
    for index, tissue in enumerate(LAYERS.values()):
        top = tops[index]
        layer = retina.reflectivity[index] * _covered(row, top, (*tops, bottom)[index + 1])
        if tissue.decay_per_mm:
            depth_mm = np.clip(row - top, 0, None) * frame.axial_um / 1000
            layer *= np.exp(-tissue.decay_per_mm * depth_mm)
        picture += layer
    return _with_choroid_vessels(picture, retina, frame, rng)


def _as_seen(tops_row: NDArray[np.float64], frame: Frame) -> NDArray[np.float64]:
    """Return the borders where light changes, given those where a device draws its lines."""
    seen = tops_row.copy()
    seen[NERVE_FIBRE_LAYER] += MEMBRANE_UM / frame.axial_um
    seen[NERVE_FIBRE_LAYER + 1] -= FRINGE_UM / frame.axial_um
    return seen


def _posterior_hyaloid(
    row: NDArray[np.float64], ilm_row: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the faint membrane in front of the retina, attached in some eyes, lifted in others."""
    lifted_rows = np.clip(rng.uniform(-8, 14) + 5 * smooth_noise(rng, ilm_row.shape, 90.0), 0, None)
    top = ilm_row - lifted_rows
    space = HYALOID_SPACE * _covered(row, top, ilm_row)
    return space + HYALOID * _covered(row, top - 1, top) * (lifted_rows > 2)


def _covered(
    row: NDArray[np.float64], top: NDArray[np.float64], bottom: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the share of each pixel that lies between two borders, 0 to 1."""
    return np.clip(bottom - row + 0.5, 0, 1) - np.clip(top - row + 0.5, 0, 1)


def _with_choroid_vessels(
    picture: NDArray[np.float64],
    retina: Retina,
    frame: Frame,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return the picture with the dark lumina and bright walls of the choroid's own vessels."""
    texture = np.tanh(2.0 * smooth_noise(rng, picture.shape, (4.0, 6.0)))
    depth_rows = frame.row_numbers - retina.tops_row[-1]
    end_rows = (CHOROID_UM / frame.axial_um) * (
        1 + 0.2 * smooth_noise(rng, (picture.shape[1],), 40.0)
    )
    inside = np.clip(depth_rows / 4, 0, 1) * np.clip((end_rows - depth_rows) / 12, 0, 1)
    return np.asarray(picture * np.exp(0.8 * inside * texture))


def _shadows(retina: Retina, passed: NDArray[np.float64], frame: Frame) -> NDArray[np.float64]:
    """Return the share of light that reaches each pixel: full above a vessel, less below it."""
    row = frame.row_numbers
    vessel_row = retina.ilm_row + 0.45 * (retina.rnfl_row - retina.ilm_row)
    below = 1 / (1 + np.exp(np.clip(-(row - vessel_row) / SHADOW_ONSET_ROWS, -30, 30)))
    return 1 - (1 - passed) * below
