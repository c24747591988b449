"""Whatever a peer or a web client asks, it is understood or refused in our own words."""

from contextlib import suppress
from io import BytesIO

from hypothesis import example, given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from api.dicomweb.search_parameters import read_search
from api.errors import ParameterInvalid
from dicom_node.errors import IdentifierRefused, RetrieveInvalid
from dicom_node.scp.encoded_identifier import decode_identifier
from dicom_node.scp.identifier import Identifier, read_identifier
from dicom_node.scp.retrieve_identifier import selection_of
from dicom_node.storage.query.attribute import ATTRIBUTES
from dicom_node.storage.query.level import Level
from tests.builders.encoded_instance import encode_dataset
from tests.fixtures.query_scu import identifier

SYNTAXES = st.sampled_from([ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian])
KEYWORDS = st.sampled_from(sorted(ATTRIBUTES))


def nested() -> Dataset:
    item = Dataset()
    item.RequestedProcedureID = "P1"
    return item


VALID = encode_dataset(
    identifier(
        "STUDY",
        PatientName="M*",
        StudyDate="20240101-",
        StudyInstanceUID=["1.2", "1.3"],
        RequestAttributesSequence=[nested()],
    ),
    ExplicitVRLittleEndian,
)


def read(encoded: bytes, syntax: UID) -> Identifier:
    return read_identifier(encoded, syntax, tuple(Level))


@given(encoded=st.binary(max_size=200), syntax=SYNTAXES)
@example(b"", ImplicitVRLittleEndian)
def test_any_bytes_are_an_identifier_or_refused(encoded: bytes, syntax: UID) -> None:
    with suppress(IdentifierRefused):
        read(encoded, syntax)


@given(encoded=st.binary(max_size=200), syntax=SYNTAXES, is_patient_root=st.booleans())
@example(encode_dataset(identifier("STUDY"), ImplicitVRLittleEndian), ImplicitVRLittleEndian, True)
def test_any_bytes_select_something_or_are_refused(
    encoded: bytes, syntax: UID, is_patient_root: bool
) -> None:
    with suppress(IdentifierRefused, RetrieveInvalid):
        selection_of(decode_identifier(BytesIO(encoded), syntax, 1 << 20), is_patient_root)


@given(
    changes=st.lists(st.tuples(st.integers(0, len(VALID) - 1), st.integers(0, 255)), max_size=4),
    end=st.integers(0, len(VALID)),
)
def test_damaged_identifiers_are_understood_or_refused(
    changes: list[tuple[int, int]], end: int
) -> None:
    damaged = bytearray(VALID)
    for place, byte in changes:
        damaged[place] = byte

    with suppress(IdentifierRefused):
        read(bytes(damaged[:end]), ExplicitVRLittleEndian)
    with suppress(IdentifierRefused, RetrieveInvalid):
        keys = decode_identifier(BytesIO(damaged[:end]), ExplicitVRLittleEndian, 1 << 20)
        selection_of(keys, is_patient_root=False)


@given(keyword=KEYWORDS, value=st.binary(max_size=40), syntax=SYNTAXES)
def test_any_value_of_any_key_is_understood_or_refused(
    keyword: str, value: bytes, syntax: UID
) -> None:
    order = "little" if syntax.is_little_endian else "big"
    tag = ATTRIBUTES[keyword].tag
    level = encode_dataset(identifier("IMAGE"), syntax)
    head = b"".join(part.to_bytes(2, order) for part in (tag >> 16, tag & 0xFFFF))
    padded = value + b" " * (len(value) % 2)
    length = (
        len(padded).to_bytes(4, order)
        if syntax.is_implicit_VR
        else b"LO" + len(padded).to_bytes(2, order)
    )

    with suppress(IdentifierRefused):
        read(level + head + length + padded, syntax)


@given(
    level=st.sampled_from(list(Level)[1:]),
    parameters=st.lists(
        st.tuples(
            st.one_of(
                KEYWORDS,
                st.sampled_from(
                    ["limit", "offset", "includefield", "fuzzymatching", "00100010", "00091001"]
                ),
                st.text(max_size=12),
            ),
            st.text(max_size=30),
        ),
        max_size=4,
    ),
    uid=st.text(max_size=10),
)
@example(Level.SERIES, [("RequestAttributesSequence.", "x"), ("a.b.c", "")], "1.2")
def test_any_parameters_are_understood_or_refused(
    level: Level, parameters: list[tuple[str, str]], uid: str
) -> None:
    with suppress(ParameterInvalid):
        read_search(level, parameters, {"StudyInstanceUID": uid}, frozenset(), 1000)
