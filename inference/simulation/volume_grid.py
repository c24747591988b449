"""How a device scans a field of the retina: the grid of its A-scans."""

from dataclasses import dataclass

from core.values.laterality import Laterality
from core.values.scan import GridGeometry


@dataclass(frozen=True)
class Grid:
    """How a device scans the field: number of A-scans and rows, distances, directions.

    Attributes
    ----------
    b_scans, rows, columns
        Shape of the volume.
    width_mm, height_mm
        Field along a B-scan and across the B-scans.
    axial_um
        Height of a row.
    upward
        Whether the first B-scan is the lowest of the field.
    """

    b_scans: int = 200
    rows: int = 1024
    columns: int = 200
    width_mm: float = 6.0
    height_mm: float = 6.0
    axial_um: float = 1.953
    upward: bool = False

    @property
    def field(self) -> tuple[int, int]:
        """Number of B-scans and of A-scans in each."""
        return self.b_scans, self.columns

    def geometry(self, laterality: Laterality) -> GridGeometry:
        """Return where its A-scans lie, from image left to image right; origin in the middle.

        Image left is the patient's right: temporal in a right eye, nasal in a left eye.
        """
        across = -1.0 if laterality is Laterality.RIGHT else 1.0
        along = 1.0 if self.upward else -1.0
        column_mm = self.width_mm / self.columns
        row_mm = self.height_mm / self.b_scans
        return GridGeometry(
            origin_mm=(
                -across * column_mm * (self.columns - 1) / 2,
                -along * row_mm * (self.b_scans - 1) / 2,
            ),
            column_step_mm=(across * column_mm, 0.0),
            row_step_mm=(0.0, along * row_mm),
        )
