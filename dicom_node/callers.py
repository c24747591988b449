"""Who asks for an association, why it may be refused, and what it is told then."""

import struct
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final

#: A-ASSOCIATE-RQ up to both AE titles (PS3.8 9.3.2): PDU header, version, reserved, 16 bytes each.
REQUEST_HEAD_BYTES: Final = 42
_CALLED: Final = slice(10, 26)
_CALLING: Final = slice(26, REQUEST_HEAD_BYTES)
_ASSOCIATE_REJECT: Final = 0x03


class Rejection(Enum):
    """Result, source and reason of an A-ASSOCIATE-RJ (PS3.8 table 9-21)."""

    CALLING_AE_TITLE_NOT_RECOGNISED = (1, 1, 3)
    CALLED_AE_TITLE_NOT_RECOGNISED = (1, 1, 7)
    #: Transient: the database is away, nobody can be recognised.
    TEMPORARY_CONGESTION = (2, 3, 1)
    #: Transient: as many associations as there may be.
    LOCAL_LIMIT_EXCEEDED = (2, 3, 2)

    @property
    def pdu(self) -> bytes:
        """The A-ASSOCIATE-RJ (PS3.8 9.3.4)."""
        return struct.pack(">BBIBBBB", _ASSOCIATE_REJECT, 0, 4, 0, *self.value)


class Refusal(StrEnum):
    """Why a caller stays out, as it is recorded: a contract, add and never rename."""

    CALLING_AE_TITLE_NOT_RECOGNISED = "calling_ae_title_not_recognised"
    CALLED_AE_TITLE_NOT_RECOGNISED = "called_ae_title_not_recognised"
    #: Bound to a certificate, and called without: on the plain port, or was not asked for one.
    CERTIFICATE_MISSING = "certificate_missing"
    #: Bound to another certificate than the one shown.
    CERTIFICATE_NOT_RECOGNISED = "certificate_not_recognised"
    #: `maximum_associations` are open.
    TOO_MANY_ASSOCIATIONS = "too_many_associations"
    #: `maximum_associations_per_peer` of this AE title at this address are open.
    TOO_MANY_ASSOCIATIONS_OF_PEER = "too_many_associations_of_peer"

    @property
    def rejection(self) -> Rejection:
        """What the caller is told; PS3.8 knows no reason that names a certificate."""
        return _REJECTIONS.get(self, Rejection.CALLING_AE_TITLE_NOT_RECOGNISED)


_REJECTIONS: Final = {
    Refusal.CALLED_AE_TITLE_NOT_RECOGNISED: Rejection.CALLED_AE_TITLE_NOT_RECOGNISED,
    Refusal.TOO_MANY_ASSOCIATIONS: Rejection.LOCAL_LIMIT_EXCEEDED,
    Refusal.TOO_MANY_ASSOCIATIONS_OF_PEER: Rejection.LOCAL_LIMIT_EXCEEDED,
}


@dataclass(frozen=True)
class Caller:
    """Who asks for an association, from which address, and whom it believes to call.

    `certificate_sha256` is of the certificate it showed, None where it showed none.
    """

    ae_title: str
    address: str
    called_ae_title: str
    certificate_sha256: str | None = None


def read_caller(head: bytes, address: str, certificate_sha256: str | None = None) -> Caller:
    """Return the caller by the first bytes of its A-ASSOCIATE-RQ.

    Raises
    ------
    ValueError
        If they are too few.
    """
    if len(head) < REQUEST_HEAD_BYTES:
        raise ValueError("an association request is longer")
    return Caller(
        ae_title=printable(head[_CALLING].decode("latin-1")),
        address=address,
        called_ae_title=printable(head[_CALLED].decode("latin-1")),
        certificate_sha256=certificate_sha256,
    )


def printable(ae_title: str | None) -> str:
    """Return an AE title fit for the record, without padding."""
    # A control character must not reach the record; what replaces it is in no valid AE title.
    text = (ae_title or "").strip()
    return "".join(c if c.isascii() and c.isprintable() else "\ufffd" for c in text)
