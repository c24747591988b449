"""C-STORE messages as bytes on the wire, cut into PDUs as a test wants them."""

import struct
from collections.abc import Iterable, Sequence

from dicom_node.receive.pdu import Fragment, fragment_pdu
from dicom_node.storage.part10 import EncodedInstance

CONTEXT_ID = 1


def store_command(encoded: EncodedInstance, message_id: int = 1, data_set_type: int = 0) -> bytes:
    """Return the encoded command set of a C-STORE-RQ."""
    elements = [
        (0x0002, _uid(encoded.sop_class_uid)),
        (0x0100, struct.pack("<H", 0x0001)),
        (0x0110, struct.pack("<H", message_id)),
        (0x0700, struct.pack("<H", 0)),
        (0x0800, struct.pack("<H", data_set_type)),
        (0x1000, _uid(encoded.sop_instance_uid)),
    ]
    return command_set(elements)


def command_set(elements: Iterable[tuple[int, bytes]]) -> bytes:
    """Return elements of group 0000 behind their group length."""
    body = b"".join(struct.pack("<HHI", 0, e, len(value)) + value for e, value in elements)
    return struct.pack("<HHII", 0, 0, 4, len(body)) + body


def fragments(
    content: bytes, *, is_command: bool, sizes: Sequence[int] = (), context_id: int = CONTEXT_ID
) -> list[Fragment]:
    """Return content cut into fragments of these sizes; the rest is the last one."""
    parts, rest = [], content
    for size in sizes:
        parts.append(rest[:size])
        rest = rest[size:]
    parts.append(rest)
    return [
        Fragment(context_id, is_command, is_last=number == len(parts), data=part)
        for number, part in enumerate(parts, start=1)
    ]


def pdu_of(parts: Sequence[Fragment]) -> bytes:
    """Return one PDU that holds all of these."""
    items = b"".join(fragment_pdu(part)[6:] for part in parts)
    return struct.pack(">BBI", 4, 0, len(items)) + items


def store_message(encoded: EncodedInstance, message_id: int = 1) -> bytes:
    """Return a whole C-STORE-RQ in two PDUs."""
    command = fragments(store_command(encoded, message_id), is_command=True)
    return pdu_of(command) + pdu_of(fragments(encoded.data_set, is_command=False))


def _uid(text: str) -> bytes:
    value = text.encode()
    return value + b"\0" * (len(value) % 2)
