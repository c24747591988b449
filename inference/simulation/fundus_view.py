"""How a simulated photograph is turned and scaled: from the eye's frame to pixels and back."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.values.laterality import Laterality


@dataclass(frozen=True)
class FundusView:
    """A picture of the fundus.

    Attributes
    ----------
    rows, columns
        Its size.
    disc_row, disc_column
        The disc's centre in pixels; (0, 0) is the corner of the first pixel.
    px_per_degree
        Pixels to one degree of the visual angle.
    temporal_is_right, superior_is_up
        How it is turned.
    """

    rows: int
    columns: int
    disc_row: float
    disc_column: float
    px_per_degree: float
    temporal_is_right: bool
    superior_is_up: bool = True

    def pixel_of(
        self, distance_degree: NDArray[np.float64], angle_degree: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return row and column of places given by distance from the disc and TSNIT angle."""
        radians = np.deg2rad(angle_degree)
        across = self.px_per_degree * (1 if self.temporal_is_right else -1)
        up = self.px_per_degree * (1 if self.superior_is_up else -1)
        return (
            self.disc_row - up * distance_degree * np.sin(radians),
            self.disc_column + across * distance_degree * np.cos(radians),
        )

    def polar(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return distance from the disc and TSNIT angle in degree of each pixel's middle."""
        temporal, superior = self.plane()
        angle = np.rad2deg(np.arctan2(superior, temporal)) % 360
        return np.hypot(temporal, superior), angle

    def plane(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return degrees temporal and superior of the disc of each pixel's middle."""
        row = np.arange(self.rows, dtype=np.float32)[:, np.newaxis] + np.float32(0.5)
        column = np.arange(self.columns, dtype=np.float32)[np.newaxis] + np.float32(0.5)
        across = self.px_per_degree * (1 if self.temporal_is_right else -1)
        up = self.px_per_degree * (1 if self.superior_is_up else -1)
        temporal, superior = np.broadcast_arrays(
            (column - np.float32(self.disc_column)) / np.float32(across),
            (np.float32(self.disc_row) - row) / np.float32(up),
        )
        return temporal, superior


def temple_is_right(laterality: Laterality) -> bool:
    """Return on which side the temple lies in a photograph seen as usual."""
    return laterality is Laterality.LEFT
