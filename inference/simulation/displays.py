"""What devices do to the intensity of light before it becomes a grey value."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

GreyValues = NDArray[np.uint8] | NDArray[np.uint16]

#: Exponent of a display by power, as the Spectralis has it: grey value = 255 · intensity^0.25.
DISPLAY_EXPONENT: Final = 0.25


class Transform(StrEnum):
    """How intensity becomes brightness."""

    POWER = "power"
    LOGARITHM = "logarithm"
    LINEAR = "linear"


@dataclass(frozen=True)
class Display:
    """How intensities are shown.

    Attributes
    ----------
    transform
        Power 0.25, logarithm, or none.
    gain
        Factor on the brightness after the transform; what exceeds the scale is cut.
    decades
        Powers of ten a logarithmic display shows below full scale; fainter light is black.
    bits
        8 or 16.
    """

    transform: Transform = Transform.POWER
    gain: float = 1.0
    decades: float = 5.0
    bits: int = 8

    def grey_values(self, intensity: NDArray[np.float64]) -> GreyValues:
        """Return grey values of intensities 0 to 1; below zero, as after noise, is black."""
        brightness = np.clip(self.gain * self._brightness(np.clip(intensity, 0, 1)), 0, 1)
        if self.bits == 8:
            return np.rint(255 * brightness).astype(np.uint8)
        return np.rint(65535 * brightness).astype(np.uint16)

    def _brightness(self, intensity: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.transform is Transform.LINEAR:
            return intensity
        if self.transform is Transform.LOGARITHM:
            least = 10.0**-self.decades
            return np.asarray(1 + np.log10(np.maximum(intensity, least)) / self.decades)
        return np.asarray(intensity**DISPLAY_EXPONENT)
