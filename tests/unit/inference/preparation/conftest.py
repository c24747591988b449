from pathlib import Path

import pytest
from pydicom import dcmread

from core.values.scan import Scan
from dicom_node.devices.reading import read_scan


@pytest.fixture(scope="package")
def spectralis(shared_data: Path) -> Scan:
    folder = shared_data / "oct" / "spectralis_circle_od"
    return read_scan(dcmread(folder / "bscan_opt.dcm"), dcmread(folder / "localizer_op.dcm"))
