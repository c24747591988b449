"""What we write, and never write: the classes of our reports and the codes of our own scheme."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from highdicom.sr import CodedConcept
from pydicom.uid import (
    UID,
    Comprehensive3DSRStorage,
    ComprehensiveSRStorage,
    EncapsulatedPDFStorage,
    EnhancedSRStorage,
    SecondaryCaptureImageStorage,
)

from reports import codes, review_codes
from reports.checks import EMITTED

#: What each class is made for.
_PURPOSES: Final[dict[str, str]] = {
    Comprehensive3DSRStorage: "Structured report of a result, TID 1500; of both eyes; of a review",
    ComprehensiveSRStorage: "The same tree, for a peer that refuses Comprehensive 3D SR",
    EnhancedSRStorage: "Text report, no template, where a rule or a setting asks for it",
    SecondaryCaptureImageStorage: "Picture of a result; of both eyes",
    EncapsulatedPDFStorage: "Page of a result; of both eyes",
}
#: What an estimate could be taken for, and what is therefore never written.
NEVER_EMITTED: Final[dict[str, str]] = {
    "1.2.840.10008.5.1.4.1.1.80.1": "it says that a visual field was measured",
}


@dataclass(frozen=True)
class EmittedClass:
    """A SOP class we create."""

    sop_class_uid: str
    modality: str
    purpose: str

    @property
    def name(self) -> str:
        """What the standard calls it."""
        return UID(self.sop_class_uid).name


@dataclass(frozen=True)
class PrivateCode:
    """A code of our own scheme."""

    value: str
    meaning: str


def emitted_classes() -> tuple[EmittedClass, ...]:
    """Return the classes our reports are of; any other is refused before it is kept."""
    return tuple(
        EmittedClass(str(uid), modality, _PURPOSES[uid]) for uid, modality in EMITTED.items()
    )


def private_codes() -> tuple[PrivateCode, ...]:
    """Return every code of our own scheme, by value."""
    found = {
        str(code.value): PrivateCode(str(code.value), str(code.meaning))
        for module in (codes, review_codes)
        for code in _codes_in(list(vars(module).values()))
        if code.scheme_designator == codes.SCHEME
    }
    return tuple(found[value] for value in sorted(found))


def _codes_in(values: list[Any]) -> Iterator[CodedConcept]:
    for value in values:
        if isinstance(value, CodedConcept):
            yield value
        elif isinstance(value, dict):
            yield from _codes_in(list(value.values()))
