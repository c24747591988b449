"""The objects are of the stated size, and such as our own node takes in."""

from io import BytesIO

import pytest
from pydicom import Dataset, dcmread

from arcuate.bench.ingest.choices import WorkloadName
from arcuate.bench.ingest.workloads import WORKLOADS, Workload
from dicom_node.devices.input_class import is_model_input
from dicom_node.storage.accept_list import ACCEPTED_SOP_CLASSES
from dicom_node.storage.header import read_header

MEGABYTES = {
    WorkloadName.CIRCLES: 0.38,
    WorkloadName.VOLUMES: 6.3,
    WorkloadName.LARGE_VOLUMES: 58.0,
    WorkloadName.PHOTOGRAPHS: 1.0,
}


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: str(workload.name))
def test_object_is_of_its_size_and_taken_in(workload: Workload) -> None:
    encoded = workload.build()

    megabytes = len(encoded.data_set) / 1e6
    assert megabytes == pytest.approx(MEGABYTES[workload.name], rel=0.03)
    header = read_header(encoded.data_set, encoded.transfer_syntax_uid, 1 << 30)
    assert header.sop_class_uid == encoded.sop_class_uid
    assert encoded.sop_class_uid in ACCEPTED_SOP_CLASSES
    assert is_model_input(
        header.sop_class_uid, header.texts["Modality"], header.texts["Manufacturer"]
    )


def test_volume_has_functional_groups_for_each_frame() -> None:
    (volumes,) = (one for one in WORKLOADS if one.name is WorkloadName.VOLUMES)

    dataset = read(volumes.build().data_set)

    assert len(dataset.PerFrameFunctionalGroupsSequence) == dataset.NumberOfFrames == 25
    assert dataset.ImageLaterality == "R"
    assert len(dataset.PixelData) == dataset.NumberOfFrames * dataset.Rows * dataset.Columns


def read(data_set: bytes) -> Dataset:
    return dcmread(BytesIO(data_set), force=True)
