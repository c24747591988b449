from io import BytesIO

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import UID

from arcuate.bench.ingest.encoded_object import (
    PLACEHOLDER,
    EncodedObject,
    ObjectUnclear,
    identity_of,
)
from arcuate.bench.ingest.objects import circle_scan

SEED = 12_345_678


def read(data_set: bytes, encoded: EncodedObject) -> Dataset:
    dataset = dcmread(BytesIO(data_set), force=True)
    assert dataset.SOPClassUID == encoded.sop_class_uid
    return dataset


def test_copy_says_its_own_identity_and_nothing_else_differs() -> None:
    encoded = circle_scan()
    identity = identity_of(7, SEED, instances_per_study=4)

    copied = read(bytes(encoded.copy(identity)), encoded)

    original = read(encoded.data_set, encoded)
    assert copied.PatientID == identity.patient_id
    assert copied.StudyInstanceUID == identity.study_instance_uid
    assert copied.SeriesInstanceUID == identity.series_instance_uid
    assert copied.SOPInstanceUID == identity.sop_instance_uid
    changed = {element.keyword for element in copied if element != original[element.tag]}
    assert changed == {"PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"}


def test_identities_share_studies_and_never_an_instance() -> None:
    identities = [identity_of(number, SEED, instances_per_study=4) for number in range(12)]
    others = [identity_of(number, SEED + 1, instances_per_study=4) for number in range(12)]

    assert len({identity.sop_instance_uid for identity in identities + others}) == 24
    assert len({identity.study_instance_uid for identity in identities}) == 3
    assert len({identity.patient_id for identity in identities}) == 3
    lengths = [[len(value) for value in one.values.values()] for one in (PLACEHOLDER, *identities)]
    assert all(one == lengths[0] for one in lengths)
    assert all(UID(uid).is_valid for one in identities for uid in list(one.values.values())[1:])


@pytest.mark.parametrize("repeated", ["", PLACEHOLDER.patient_id * 2])
def test_object_with_an_unclear_identity_is_refused(repeated: str) -> None:
    rest = "".join(list(PLACEHOLDER.values.values())[1:])

    with pytest.raises(ObjectUnclear):
        EncodedObject.of("1.2", "1.2", (repeated + rest).encode())
