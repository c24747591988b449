"""An object encoded once, and its copies: the same bytes with the identity of another object."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from core.errors import NodeError

#: Digits of every number behind 2.25. (PS3.5 B.2): never zero first, and below 2 to the 128.
_UID_DIGITS: Final = 38
_COUNTER_DIGITS: Final = 8
#: What the number in front of the counter counts, so that no two UIDs are the same.
_STUDY, _SERIES, _INSTANCE = 1, 2, 3


class ObjectUnclear(NodeError):
    """An encoded object does not hold each part of its identity once."""


@dataclass(frozen=True)
class Identity:
    """Whose object it is, and which; every value is as long as that of any other identity."""

    patient_id: str
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str

    @property
    def values(self) -> Mapping[str, str]:
        """The values by name."""
        return asdict(self)


#: The identity that objects are encoded with.
PLACEHOLDER: Final = Identity(
    "BENCH-00000000",
    *(f"2.25.{'9' * 8}{kind}{'0' * (_UID_DIGITS - 9)}" for kind in (_STUDY, _SERIES, _INSTANCE)),
)


def identity_of(number: int, seed: int, instances_per_study: int) -> Identity:
    """Return the identity of an object; `seed` (8 digits) tells one call's objects from another's.

    Each patient has one study of one series.
    """
    study = number // instances_per_study
    return Identity(
        f"BENCH-{study:08d}",
        _uid(seed, _STUDY, study),
        _uid(seed, _SERIES, study),
        _uid(seed, _INSTANCE, number),
    )


def _uid(seed: int, kind: int, number: int) -> str:
    padding = "0" * (_UID_DIGITS - 9 - _COUNTER_DIGITS)
    return f"2.25.{seed:08d}{kind}{padding}{number:0{_COUNTER_DIGITS}d}"


@dataclass(frozen=True)
class EncodedObject:
    """An object with the placeholder's identity.

    Attributes
    ----------
    data_set
        Encoded data set without file meta information.
    places
        Where each value of the identity begins in it, in bytes.
    """

    sop_class_uid: str
    transfer_syntax_uid: str
    data_set: bytes
    places: Mapping[str, int]

    @classmethod
    def of(cls, sop_class_uid: str, transfer_syntax_uid: str, data_set: bytes) -> "EncodedObject":
        """Find the identity in an encoded data set.

        Raises
        ------
        ObjectUnclear
            If a value is not there, or there twice.
        """
        places = {}
        for name, value in PLACEHOLDER.values.items():
            encoded = value.encode()
            places[name] = data_set.find(encoded)
            if places[name] < 0 or data_set.find(encoded, places[name] + 1) >= 0:
                raise ObjectUnclear
        return cls(sop_class_uid, transfer_syntax_uid, data_set, places)

    def copy(self, identity: Identity) -> bytearray:
        """Return the data set of another identity."""
        copied = bytearray(self.data_set)
        write_identity(copied, self.places, identity)
        return copied


def write_identity(buffer: bytearray, places: Mapping[str, int], identity: Identity) -> None:
    """Write an identity over another one, in place."""
    for name, value in identity.values.items():
        buffer[places[name] : places[name] + len(value)] = value.encode()
