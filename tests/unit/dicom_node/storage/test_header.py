import struct
import tracemalloc
import zlib
from datetime import date

import pytest
from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
)

from dicom_node.errors import InvalidInstance, ObjectTooLarge, PatientIDMissing
from dicom_node.storage.elements import MAXIMUM_DEPTH
from dicom_node.storage.encoding import MAXIMUM_INFLATED_BYTES
from dicom_node.storage.header import Header, read_header
from tests.builders.encoded_instance import build_instance, encode_dataset

LIMIT = 1 << 20


def read(dataset: Dataset, transfer_syntax_uid: str = ExplicitVRLittleEndian) -> Header:
    return read_header(encode_dataset(dataset, transfer_syntax_uid), transfer_syntax_uid, LIMIT)


def nested(depth: int, undefined: bool) -> Dataset:
    item = Dataset()
    item.CodeValue = "1"
    for _ in range(depth):
        outer = Dataset()
        outer.ContentSequence = Sequence([item])
        outer["ContentSequence"].is_undefined_length = undefined
        item.is_undefined_length_sequence_item = undefined
        item = outer
    return item


@pytest.mark.parametrize(
    "transfer_syntax_uid",
    [
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
    ],
)
def test_header_reads_the_identifying_attributes(transfer_syntax_uid: str) -> None:
    header = read(build_instance(IssuerOfPatientID="Clinic"), transfer_syntax_uid)

    assert (header.patient_id, header.issuer) == ("P1", "Clinic")
    assert header.study_instance_uid == "1.2.3.1"
    assert header.series_instance_uid == "1.2.3.1.1"
    assert header.sop_instance_uid == "1.2.3.1.1.1"
    assert header.texts["PatientName"] == "Müller^Anna"
    assert header.texts["InstanceNumber"] == "7"
    assert header.texts["StudyDescription"] == ""
    assert header.day("StudyDate") == date(2024, 3, 20)


@pytest.mark.parametrize(
    ("value", "day"), [("1958.03.01", date(1958, 3, 1)), ("19580230", None), ("", None)]
)
def test_header_reads_a_birth_date_as_far_as_it_is_one(value: str, day: date | None) -> None:
    data_set = encode_dataset(build_instance(PatientBirthDate="19000101"))
    element = b"\x10\x00\x30\x00DA"
    start = data_set.index(element)
    padded = value.encode() + b" " * (len(value) % 2)
    changed = (
        data_set[: start + 6] + len(padded).to_bytes(2, "little") + padded + data_set[start + 16 :]
    )

    header = read_header(changed, ExplicitVRLittleEndian, LIMIT)

    assert header.day("PatientBirthDate") == day


def test_header_takes_identity_from_the_top_level_only() -> None:
    other = Dataset()
    other.PatientID = "OTHER"
    other.SOPInstanceUID = "9.9.9"
    dataset = build_instance(OtherPatientIDsSequence=Sequence([other]))

    header = read(dataset)

    assert (header.patient_id, header.sop_instance_uid) == ("P1", "1.2.3.1.1.1")


def test_header_refuses_two_patient_ids() -> None:
    data_set = encode_dataset(build_instance())
    second = b"\x10\x00\x20\x00LO\x02\x00P2"
    start = data_set.index(b"\x10\x00\x30\x00DA")

    with pytest.raises(InvalidInstance, match="twice"):
        read_header(data_set[:start] + second + data_set[start:], ExplicitVRLittleEndian, LIMIT)


@pytest.mark.parametrize("patient_id", [None, "", "   "])
def test_header_without_patient_id_is_refused(patient_id: str | None) -> None:
    with pytest.raises(PatientIDMissing):
        read(build_instance(PatientID=patient_id))


@pytest.mark.parametrize(
    "keyword", ["SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"]
)
@pytest.mark.parametrize(
    "uid", [b"", b"../../etc", b"1.2/3", b"1.2\x003", b"01.2", b"1..2", b"1", b"1.2.", b"1." * 40]
)
def test_header_with_an_invalid_uid_is_refused(keyword: str, uid: bytes) -> None:
    dataset = build_instance(**{keyword: "1.99"})
    data_set = encode_dataset(dataset)
    start = data_set.index(b"UI\x04\x001.99")
    padded = uid + b"\x00" * (len(uid) % 2)
    changed = (
        data_set[: start + 2] + len(padded).to_bytes(2, "little") + padded + data_set[start + 8 :]
    )

    with pytest.raises(InvalidInstance, match=keyword):
        read_header(changed, ExplicitVRLittleEndian, LIMIT)


def test_every_cut_before_the_pixels_is_refused_and_none_behind() -> None:
    data_set = encode_dataset(build_instance(), ExplicitVRLittleEndian)
    pixels = data_set.index(b"\xe0\x7f\x10\x00")
    last_element = data_set.index(b"\x28\x00\x03\x01")

    for length in range(last_element + 1, pixels):
        with pytest.raises(InvalidInstance):
            read_header(data_set[:length], ExplicitVRLittleEndian, LIMIT)
    for length in range(pixels + 4, len(data_set)):
        assert read_header(data_set[:length], ExplicitVRLittleEndian, LIMIT).patient_id == "P1"


@pytest.mark.parametrize("undefined", [True, False])
def test_sequences_up_to_the_limit_are_read(undefined: bool) -> None:
    dataset = build_instance()
    dataset.update(nested(MAXIMUM_DEPTH, undefined))

    assert read(dataset).patient_id == "P1"


@pytest.mark.parametrize("undefined", [True, False])
def test_sequences_beyond_the_limit_are_refused(undefined: bool) -> None:
    dataset = build_instance()
    dataset.update(nested(MAXIMUM_DEPTH + 1, undefined))

    with pytest.raises(InvalidInstance, match="nested"):
        read(dataset)


def test_a_hundred_thousand_nested_sequences_crash_nothing() -> None:
    opening = b"\x40\x00\x30\xa7SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"

    with pytest.raises(InvalidInstance, match="nested"):
        read_header(opening * 100_000, ExplicitVRLittleEndian, 1 << 30)


def test_a_sequence_in_unknown_encoding_is_skipped() -> None:
    # UN of undefined length holds implicit VR, PS3.5 6.2.2.
    unknown = (
        b"\x09\x00\x01\x10UN\x00\x00\xff\xff\xff\xff"
        b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
        b"\x10\x00\x20\x00\x02\x00\x00\x00P9"
        b"\xfe\xff\x0d\xe0\x00\x00\x00\x00\xfe\xff\xdd\xe0\x00\x00\x00\x00"
    )
    data_set = encode_dataset(build_instance())
    start = data_set.index(b"\x10\x00\x10\x00PN")

    header = read_header(
        data_set[:start] + unknown + data_set[start:], ExplicitVRLittleEndian, LIMIT
    )

    assert header.patient_id == "P1"


def test_compressed_pixels_are_not_looked_at() -> None:
    dataset = build_instance()
    dataset.PixelData = b"\xfe\xff\x00\xe0\x00\x00\x00\x00\xfe\xff\x00\xe0\x04\x00\x00\x00abcd"
    dataset["PixelData"].is_undefined_length = True

    assert read_header(encode_dataset(dataset), JPEG2000Lossless, LIMIT).patient_id == "P1"


@pytest.mark.parametrize("wrong", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_a_data_set_in_another_encoding_than_announced_is_refused(wrong: str) -> None:
    with pytest.raises(InvalidInstance):
        read_header(encode_dataset(build_instance()), wrong, LIMIT)


def test_an_unknown_transfer_syntax_is_refused() -> None:
    with pytest.raises(InvalidInstance, match="transfer syntax"):
        read_header(encode_dataset(build_instance()), "1.2.840.113619.5.2", LIMIT)


def test_a_deflate_bomb_stops_at_the_limit() -> None:
    deflater = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    bomb = deflater.compress(b"\x00" * (LIMIT + 1)) + deflater.flush()

    with pytest.raises(ObjectTooLarge):
        read_header(bomb, DeflatedExplicitVRLittleEndian, LIMIT)


def test_a_deflated_object_costs_the_memory_of_its_attributes_only() -> None:
    zeros = bytes(1 << 20)
    deflater = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    parts = [deflater.compress(encode_dataset(build_instance(PixelData=None)))]
    parts.append(deflater.compress(b"\xe0\x7f\x10\x00OB\0\0" + struct.pack("<I", 256 << 20)))
    parts += [deflater.compress(zeros) for _ in range(256)]
    deflated = b"".join([*parts, deflater.flush()])

    tracemalloc.start()
    header = read_header(deflated, DeflatedExplicitVRLittleEndian, 1 << 30)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert header.patient_id == "P1"
    assert peak_bytes < 3 * MAXIMUM_INFLATED_BYTES


@pytest.mark.parametrize("damage", ["cut", "noise"])
def test_a_damaged_deflated_data_set_is_refused(damage: str) -> None:
    whole = encode_dataset(build_instance(), DeflatedExplicitVRLittleEndian)
    broken = whole[:-5] if damage == "cut" else b"\xff" * 50

    with pytest.raises(InvalidInstance, match="deflated"):
        read_header(broken, DeflatedExplicitVRLittleEndian, LIMIT)


def test_padding_behind_the_last_element_is_harmless() -> None:
    data_set = encode_dataset(build_instance(PixelData=None))

    assert read_header(data_set + b"\x00" * 9, ExplicitVRLittleEndian, LIMIT).patient_id == "P1"


def test_zeros_all_the_way_are_looked_at_once() -> None:
    # Each eight of them are an element; looking behind each of them anew would take hours.
    zeros = bytes(8 << 20) + b"\1" * 8

    with pytest.raises(InvalidInstance, match="too many elements"):
        read_header(zeros, ImplicitVRLittleEndian, 1 << 30)
