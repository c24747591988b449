"""The images a prediction may be made from; objects of other classes stand in the evidence only."""

from typing import Final

from pydicom.uid import (
    OphthalmicPhotography8BitImageStorage,
    OphthalmicPhotography16BitImageStorage,
    OphthalmicThicknessMapStorage,
    OphthalmicTomographyImageStorage,
    VLPhotographicImageStorage,
    WideFieldOphthalmicPhotography3DCoordinatesImageStorage,
    WideFieldOphthalmicPhotographyStereographicProjectionImageStorage,
)

IMAGES: Final = frozenset(
    {
        OphthalmicTomographyImageStorage,
        OphthalmicPhotography8BitImageStorage,
        OphthalmicPhotography16BitImageStorage,
        OphthalmicThicknessMapStorage,
        VLPhotographicImageStorage,
        WideFieldOphthalmicPhotography3DCoordinatesImageStorage,
        WideFieldOphthalmicPhotographyStereographicProjectionImageStorage,
    }
)
