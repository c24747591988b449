"""The PDUs of a store: none larger than the peer takes, none of the object twice or missing."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_node.errors import ObjectUnreadable
from dicom_node.receive.pdu import PDU_HEADER_BYTES, PDUHeader, fragments_of
from dicom_node.sub_operation import store_pieces

COMMAND = bytes(range(200))


def fragments(content: bytes, fragment_bytes: int) -> list[tuple[bool, bool, bytes]]:
    """Return of each fragment whether it is of the command, whether the last, and its data."""
    found = []
    for piece in store_pieces(COMMAND, BytesIO(content), 7, fragment_bytes):
        assert len(piece) <= (1 << 18) * 2 or fragment_bytes > 1 << 18
        rest = memoryview(piece)
        while rest:
            header = PDUHeader.parse(rest[:PDU_HEADER_BYTES])
            assert header.length <= fragment_bytes + 6
            body = rest[PDU_HEADER_BYTES : PDU_HEADER_BYTES + header.length]
            [fragment] = fragments_of(body)
            assert fragment.context_id == 7
            found.append((fragment.is_command, fragment.is_last, bytes(fragment.data)))
            rest = rest[PDU_HEADER_BYTES + header.length :]
    return found


@given(st.integers(1, 700_000), st.sampled_from([10, 100, 16_372, 131_066]))
def test_the_object_goes_out_whole_in_fragments_the_peer_takes(
    length: int, fragment_bytes: int
) -> None:
    content = (bytes(range(251)) * (length // 251 + 1))[:length]
    if length / fragment_bytes > 5000:
        fragment_bytes = 16_372

    found = fragments(content, fragment_bytes)

    commands = [one for one in found if one[0]]
    data = [one for one in found if not one[0]]
    assert b"".join(one[2] for one in commands) == COMMAND
    assert b"".join(one[2] for one in data) == content
    assert [one[1] for one in commands] == [False] * (len(commands) - 1) + [True]
    assert [one[1] for one in data] == [False] * (len(data) - 1) + [True]


def test_an_object_without_a_data_set_is_told() -> None:
    with pytest.raises(ObjectUnreadable):
        list(store_pieces(COMMAND, BytesIO(b""), 7, 100))
