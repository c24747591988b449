"""Action Information byte by byte, for what no well-behaved library would write.

Implicit VR, little endian:

element(0x0008, 0x1195, b"1.2.3")       one element; its value is padded to an even length
sequence(item(...), item(...))          Referenced SOP Sequence
information(b"1.2", ((b"1.2", b"1.3"),))  a whole request
"""

import struct
from collections.abc import Iterable


def element(group: int, number: int, value: bytes) -> bytes:
    """Return an element."""
    padded = value + b"\0" * (len(value) % 2)
    return struct.pack("<HHI", group, number, len(padded)) + padded


def item(*elements: bytes) -> bytes:
    """Return an item of a sequence."""
    return element(0xFFFE, 0xE000, b"".join(elements))


def sequence(*items: bytes) -> bytes:
    """Return a Referenced SOP Sequence."""
    return element(0x0008, 0x1199, b"".join(items))


def reference(sop_class_uid: bytes, sop_instance_uid: bytes) -> bytes:
    """Return an item that names an instance."""
    return item(element(0x0008, 0x1150, sop_class_uid), element(0x0008, 0x1155, sop_instance_uid))


def information(transaction_uid: bytes, instances: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the Action Information of a request."""
    items = [reference(*pair) for pair in instances]
    return element(0x0008, 0x1195, transaction_uid) + sequence(*items)
