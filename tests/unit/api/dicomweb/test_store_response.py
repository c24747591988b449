from http import HTTPStatus
from io import BytesIO

import pytest
from pydicom import Dataset

from api.dicomweb.retrieve_urls import Location
from api.dicomweb.store_outcome import FailedInstance, StoredInstance, StoreOutcome
from api.dicomweb.store_response import store_response
from core.database import DatabaseAway
from core.errors import NodeError
from dicom_node.errors import (
    FileInvalid,
    InstanceConflict,
    ObjectTooLarge,
    StorageFull,
    StudyMismatch,
    UnsupportedSOPClass,
)

CLASS = "1.2.840.10008.5.1.4.1.1.77.1.5.4"
ROOT = "https://node.example/dicom-web"
STORED = StoredInstance(CLASS, "1.2.3.1.1", 1)


def failed(error: NodeError, uid: str = "1.2.3.1.9") -> FailedInstance:
    return FailedInstance(CLASS if uid else "", uid, error)


def located(key: int, study: str = "1.2.3") -> dict[int, Location]:
    return {key: Location(ROOT, study, f"{study}.1", f"{study}.1.{key}")}


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (StoreOutcome([STORED], []), HTTPStatus.OK),
        (StoreOutcome([STORED], [failed(InstanceConflict())]), HTTPStatus.ACCEPTED),
        (StoreOutcome([STORED], [failed(StorageFull())]), HTTPStatus.ACCEPTED),
        (StoreOutcome([], [failed(InstanceConflict())]), HTTPStatus.CONFLICT),
    ],
)
def test_status_says_whether_all_some_or_none_are_kept(
    outcome: StoreOutcome, status: HTTPStatus
) -> None:
    assert (outcome.status, outcome.fault) == (status, None)


@pytest.mark.parametrize("error", [StorageFull(), DatabaseAway(), ObjectTooLarge()])
def test_what_stops_the_whole_request_is_told_as_such(error: NodeError) -> None:
    alone = StoreOutcome([], [failed(error), failed(error)])
    mixed = StoreOutcome([], [failed(error), failed(InstanceConflict())])

    assert (alone.fault, mixed.fault) == (error, None)


def test_stored_instances_are_referenced_with_their_addresses() -> None:
    response = store_response(StoreOutcome([STORED], []), located(1))

    assert response == {
        "00081190": {"vr": "UR", "Value": [f"{ROOT}/studies/1.2.3"]},
        "00081199": {
            "vr": "SQ",
            "Value": [
                {
                    "00081150": {"vr": "UI", "Value": [CLASS]},
                    "00081155": {"vr": "UI", "Value": ["1.2.3.1.1"]},
                    "00081190": {
                        "vr": "UR",
                        "Value": [f"{ROOT}/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1"],
                    },
                }
            ],
        },
    }


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (StorageFull(), 0xA700),
        (ObjectTooLarge(), 0xA700),
        (StudyMismatch(), 0xA900),
        (FileInvalid(), 0xC000),
        (InstanceConflict(), 0xC101),
        (UnsupportedSOPClass(), 0x0122),
    ],
)
def test_failed_instances_say_why(error: NodeError, reason: int) -> None:
    response = Dataset.from_json(store_response(StoreOutcome([], [failed(error)]), {}))

    [item] = response.FailedSOPSequence
    assert (item.FailureReason, item.ReferencedSOPInstanceUID) == (reason, "1.2.3.1.9")
    assert "ReferencedSOPSequence" not in response


def test_what_named_itself_nowhere_is_among_the_other_failures() -> None:
    outcome = StoreOutcome([STORED], [failed(FileInvalid(), uid="")])

    response = Dataset.from_json(store_response(outcome, located(1)))

    assert [item.FailureReason for item in response.OtherFailuresSequence] == [0xC000]
    assert "FailedSOPSequence" not in response


def test_instances_of_several_studies_have_no_study_address_in_common() -> None:
    outcome = StoreOutcome([STORED, StoredInstance(CLASS, "1.2.4.1.2", 2)], [])

    response = store_response(outcome, located(1) | located(2, "1.2.4"))

    assert response["00081190"] == {"vr": "UR"}
    assert len(response["00081199"]["Value"]) == 2


def test_response_is_a_data_set_that_can_be_written() -> None:
    outcome = StoreOutcome([STORED], [failed(InstanceConflict()), failed(FileInvalid(), uid="")])

    response = Dataset.from_json(store_response(outcome, located(1)))

    response.save_as(BytesIO(), implicit_vr=False, little_endian=True)
    assert len(response) == 4
