"""From a photograph of the fundus in DICOM to a scan."""

import math

from pydicom.dataset import Dataset

from core.values.scan import Scan, ScanKind
from dicom_node.devices.attributes import silenced_reader
from dicom_node.devices.description import describe
from dicom_node.devices.fundus_geometry import read_fundus_geometry
from dicom_node.devices.fundus_localizer import refuse_localizer
from dicom_node.devices.fundus_pixels import read_photograph_pixels
from dicom_node.devices.fundus_purpose import refuse_other_purposes
from dicom_node.devices.laterality import read_laterality


def read_photograph(dataset: Dataset) -> Scan:
    """Return a photograph of the fundus, or say why the object must not be scored.

    Raises
    ------
    ScanRefused
        With the one reason, what decided it and what to do.
    """
    with silenced_reader():
        refuse_localizer(dataset)
        refuse_other_purposes(dataset)
        laterality = read_laterality(dataset)
        geometry, notes = read_fundus_geometry(dataset, laterality)
        said = describe(dataset)
        return Scan(
            kind=ScanKind.FUNDUS,
            pixels=read_photograph_pixels(dataset),
            axial_um=math.nan,
            lateral_um=math.nan,
            geometry=geometry,
            laterality=laterality,
            acquired_at=said.acquired_at,
            age_years=said.age_years,
            device=said.device,
            notes=notes,
        )
