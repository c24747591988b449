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

from dicom_node.devices.input_class import is_measured_field
from dicom_node.storage.accept_list import ACCEPTED_SOP_CLASSES
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
_MEASURED: Final = "it says that a visual field was measured"


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


def never_emitted() -> dict[str, str]:
    """Return what an estimate could be taken for, with why it is never written."""
    return {uid: _MEASURED for uid in ACCEPTED_SOP_CLASSES if is_measured_field(uid)}


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
