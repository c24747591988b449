import pytest
from pydicom import Dataset
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from pynetdicom.dsutils import encode

from dicom_node.errors import (
    ActionAttributeMissing,
    ActionInvalid,
    ActionRefused,
    ActionTooLarge,
    ActionValueMissing,
)
from dicom_node.scp.action_information import (
    MAXIMUM_BYTES,
    MAXIMUM_INSTANCES,
    read_action_information,
)
from dicom_node.storage.commitments import InstanceReference
from dicom_node.storage.encoding import encoding_of
from tests.builders.action_information import element, information, item, reference, sequence
from tests.fixtures.commitment_device import build_request

IMPLICIT = encoding_of(ImplicitVRLittleEndian)
TRANSACTION = element(0x0008, 0x1195, b"1.2.3")
PAIRS = [("1.2.840.10008.5.1.4.1.1.7", "1.2.3.4"), ("1.2.840.10008.5.1.4.1.1.66", "1.2.3.5")]


def build_rich_request(undefined_length: bool) -> Dataset:
    """A request with elements that nobody needs, and a sequence within an item."""
    request = build_request("1.2.3", PAIRS)
    request.StudyInstanceUID = "1.2"
    first = request.ReferencedSOPSequence[0]
    first.PurposeOfReferenceCodeSequence = [Dataset()]
    first.PurposeOfReferenceCodeSequence[0].CodeValue = "X"
    request["ReferencedSOPSequence"].is_undefined_length = undefined_length
    first["PurposeOfReferenceCodeSequence"].is_undefined_length = undefined_length
    for nested in (first, first.PurposeOfReferenceCodeSequence[0]):
        nested.is_undefined_length_sequence_item = undefined_length
    return request


@pytest.mark.parametrize("undefined_length", [False, True])
@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian]
)
def test_a_request_is_read_in_every_encoding(syntax: UID, undefined_length: bool) -> None:
    request = build_rich_request(undefined_length)
    data = encode(request, syntax.is_implicit_VR, syntax.is_little_endian)

    transaction_uid, instances = read_action_information(data or b"", encoding_of(syntax))

    assert transaction_uid == "1.2.3"
    assert instances == tuple(InstanceReference(*pair) for pair in PAIRS)


def test_an_instance_named_twice_is_read_once() -> None:
    data = information(b"1.2.3", [(b"1.2", b"1.3"), (b"1.2", b"1.3"), (b"1.4", b"1.3")])

    _, instances = read_action_information(data, IMPLICIT)

    assert instances == (InstanceReference("1.2", "1.3"), InstanceReference("1.4", "1.3"))


def nested(depth: int) -> bytes:
    """Sequences of undefined length within each other, the outermost in an item."""
    opening = b"\x08\x00\x40\x11\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    closing = b"\xfe\xff\x0d\xe0\0\0\0\0" + b"\xfe\xff\xdd\xe0\0\0\0\0"
    return TRANSACTION + sequence(item(opening * depth + closing * depth))


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", ActionAttributeMissing),
        (sequence(reference(b"1.2", b"1.3")), ActionAttributeMissing),
        (TRANSACTION, ActionAttributeMissing),
        (TRANSACTION + sequence(), ActionValueMissing),
        (TRANSACTION + sequence(item()), ActionAttributeMissing),
        (TRANSACTION + sequence(item(element(8, 0x1150, b"1.2"))), ActionAttributeMissing),
        (information(b"", [(b"1.2", b"1.3")]), ActionValueMissing),
        (information(b"1.2", [(b"1.2", b"")]), ActionValueMissing),
        (information(b"1.2", [(b"1.2", b"no uid")]), ActionInvalid),
        (information(b"1." + b"2" * 63, [(b"1.2", b"1.3")]), ActionInvalid),
        (information(b"1.2\\1.3", [(b"1.2", b"1.3")]), ActionInvalid),
        (TRANSACTION * 2 + sequence(reference(b"1.2", b"1.3")), ActionInvalid),
        (TRANSACTION + element(8, 0x1199, b"\0" * 8), ActionInvalid),
        (information(b"1.2", [(b"1.2", b"1.3")])[:-1], ActionInvalid),
        (b"\xff" * 64, ActionInvalid),
        (nested(1000), ActionInvalid),
        (information(b"1.2", [(b"1.2", b"1.3")] * (MAXIMUM_INSTANCES + 1)), ActionTooLarge),
        (TRANSACTION + element(8, 0x1140, b"\0" * MAXIMUM_BYTES), ActionTooLarge),
    ],
)
def test_a_malformed_request_is_refused(data: bytes, error: type[ActionRefused]) -> None:
    with pytest.raises(ActionRefused) as refusal:
        read_action_information(data, IMPLICIT)

    assert type(refusal.value) is error


def test_a_request_of_the_most_instances_is_read() -> None:
    pairs = [(b"1.2", b"1.3.%d" % number) for number in range(MAXIMUM_INSTANCES)]

    _, instances = read_action_information(information(b"1.2", pairs), IMPLICIT)

    assert len(instances) == MAXIMUM_INSTANCES
