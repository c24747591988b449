"""Good inputs of each target, from which a fuzzer goes on, and the cases that once failed."""

import struct
from pathlib import Path
from typing import Final

from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
)

from dicom_node.storage.accept_list import OPHTHALMIC_TOMOGRAPHY, RAW_DATA
from dicom_node.storage.part10 import EncodedInstance
from tests.builders.encoded_instance import as_file, encode_instance
from tests.builders.messages import command_set, fragments, pdu_of, store_command, store_message

#: What a fuzzer once broke: `TARGET-…` each, kept so that it stays mended.
FINDINGS: Final = Path(__file__).parent / "findings"
SYNTAXES: Final = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    JPEGBaseline8Bit,
)
#: Class and transfer syntax of each accepted presentation context.
CONTEXTS: Final = {
    1: (OPHTHALMIC_TOMOGRAPHY, str(ExplicitVRLittleEndian)),
    3: (RAW_DATA, str(ImplicitVRLittleEndian)),
    5: (OPHTHALMIC_TOMOGRAPHY, str(DeflatedExplicitVRLittleEndian)),
    7: (OPHTHALMIC_TOMOGRAPHY, str(ExplicitVRBigEndian)),
}
RELEASE_REQUEST: Final = struct.pack(">BBII", 5, 0, 4, 0)
ABORT: Final = struct.pack(">BBIBBBB", 7, 0, 4, 0, 0, 0, 0)
_ECHO: Final = (
    (0x0002, b"1.2.840.10008.1.1\0"),
    (0x0100, struct.pack("<H", 0x0030)),
    (0x0110, struct.pack("<H", 7)),
    (0x0800, struct.pack("<H", 0x0101)),
)


def seeds_of(target: str) -> list[bytes]:
    """Return good inputs, then what once failed."""
    made = {
        "store_receiver": _streams,
        "incoming_file": lambda: [as_file(one) for one in _instances()],
        "header": lambda: [bytes([n]) + one.data_set for n, one in enumerate(_instances())],
        "file_meta": lambda: [as_file(one)[:400] for one in _instances()],
        "command": lambda: [store_command(_instances()[0]), command_set(_ECHO)],
        "pdu": lambda: [stream[7:] for stream in _streams()],
        "opening": lambda: [struct.pack(">BBI", 1, 0, 200), b"\x16\x03\x01\x02\0", b"GET / HTTP"],
    }[target]()
    return made + [path.read_bytes() for path in sorted(FINDINGS.glob(f"{target}-*"))]


def _instances() -> list[EncodedInstance]:
    """One of each transfer syntax, with nested sequences and a foreign character set."""
    return [
        encode_instance(
            syntax,
            SpecificCharacterSet="\\".join(("", "ISO 2022 IR 87")),
            PatientName="Yamada^Tarou",
            ReferencedSeriesSequence=[_nested()],
        )
        for syntax in SYNTAXES
    ]


def _nested() -> object:
    from pydicom import Dataset

    inner, outer = Dataset(), Dataset()
    inner.ReferencedSOPInstanceUID = "1.2.3"
    outer.SeriesInstanceUID = "1.2"
    outer.ReferencedInstanceSequence = [inner]
    return outer


def _streams() -> list[bytes]:
    whole = encode_instance()
    command = fragments(store_command(whole), is_command=True, sizes=[9, 30])
    data = fragments(whole.data_set, is_command=False, sizes=[1, 2, 100])
    together = pdu_of([*command, *data])
    echo = pdu_of(fragments(command_set(_ECHO), is_command=True))
    raw = encode_instance(ImplicitVRLittleEndian, SOPClassUID=RAW_DATA, SOPInstanceUID="1.2.9")
    other = pdu_of(fragments(store_command(raw, 3), is_command=True, context_id=3)) + pdu_of(
        fragments(raw.data_set, is_command=False, context_id=3)
    )
    refused = store_message(encode_instance(PatientID=""), 4)
    streams = [
        store_message(whole) + store_message(whole, 2) + RELEASE_REQUEST,
        together + echo + other + RELEASE_REQUEST,
        refused + store_message(encode_instance(StudyDescription="other"), 5) + ABORT,
        b"".join(pdu_of([part]) for part in [*command, *data]) + ABORT,
    ]
    return [bytes([number]) + stream for number, stream in enumerate(streams)]
