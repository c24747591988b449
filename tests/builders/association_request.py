"""A-ASSOCIATE-RQ PDUs byte by byte (PS3.8 9.3.2), wrong ones too.

associate_request()                                    one context, as a device asks
associate_request(contexts={1: (...), 3: (...)})       several
associate_request(called="OTHER", version=2)           what must be rejected
"""

import struct
from collections.abc import Mapping
from typing import Final

from pydicom.uid import ExplicitVRLittleEndian

from dicom_node.storage.accept_list import OPHTHALMIC_TOMOGRAPHY
from tests.builders.messages import CONTEXT_ID

_APPLICATION_CONTEXT: Final = "1.2.840.10008.3.1.1.1"
#: Abstract and transfer syntax by context ID.
Contexts = Mapping[int, tuple[str, str]]
TOMOGRAPHY: Final[Contexts] = {CONTEXT_ID: (OPHTHALMIC_TOMOGRAPHY, str(ExplicitVRLittleEndian))}


def associate_request(
    calling: str = "DEVICE1",
    called: str = "ARCUATE",
    contexts: Contexts = TOMOGRAPHY,
    version: int = 1,
    application_context: str = _APPLICATION_CONTEXT,
) -> bytes:
    """Return the request, header included."""
    proposed = b"".join(
        _item(
            0x20,
            struct.pack(">BBBB", number, 0, 0, 0)
            + _item(0x30, abstract.encode())
            + _item(0x40, transfer.encode()),
        )
        for number, (abstract, transfer) in contexts.items()
    )
    user = _item(0x51, struct.pack(">I", 16384)) + _item(0x52, b"1.2.3.4")
    titles = called.ljust(16).encode() + calling.ljust(16).encode()
    items = _item(0x10, application_context.encode()) + proposed + _item(0x50, user)
    body = struct.pack(">HH", version, 0) + titles + bytes(32) + items
    return struct.pack(">BBI", 1, 0, len(body)) + body


def _item(kind: int, value: bytes) -> bytes:
    return struct.pack(">BBH", kind, 0, len(value)) + value
