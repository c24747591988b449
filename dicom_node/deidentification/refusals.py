"""Objects that are not given out: what says who they are of cannot be taken out of them."""

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from pydicom import Dataset
from pydicom.uid import RawDataStorage

from core.values.reason import ReasonCode
from dicom_node.devices.attributes import values_of

_SECONDARY_CAPTURE: Final = "1.2.840.10008.5.1.4.1.1.7"
_ENCAPSULATED: Final = "1.2.840.10008.5.1.4.1.1.104."


class Refusal(StrEnum):
    """Why an object is not given out."""

    BURNED_IN = "burned_in_annotation"
    SECONDARY_CAPTURE = "secondary_capture"
    ENCAPSULATED = "encapsulated_document"
    RAW_DATA = "raw_data"
    FACE = "recognizable_features"
    UNREADABLE = "unreadable"
    BYTES_REMOVED = "bytes_removed"
    TOO_LARGE = "too_large"

    @property
    def explanation(self) -> str:
        """The cause in a sentence."""
        return _EXPLANATIONS[self]


_EXPLANATIONS: Final[dict[Refusal, str]] = {
    Refusal.BURNED_IN: "Its pixels show text or drawings, by its own word or by its analysis.",
    Refusal.SECONDARY_CAPTURE: "A picture of a screen, which does not say that no text is in it.",
    Refusal.ENCAPSULATED: "A document as a whole, as a PDF; what it says cannot be taken apart.",
    Refusal.RAW_DATA: "Raw data, whose private form hides what it holds.",
    Refusal.FACE: "It says that a person can be recognized by it.",
    Refusal.UNREADABLE: "It cannot be read as DICOM.",
    Refusal.BYTES_REMOVED: "Retention removed its file.",
    Refusal.TOO_LARGE: "It is larger than this node reads at once.",
}
#: Images that do not say whether text is burned in go out, and are named in the list to look at.
UNSAID_WARNING: Final = "burned_in_annotation_unsaid"


def refusal_of(dataset: Dataset, analysis: frozenset[str]) -> Refusal | None:
    """Return why an object is not given out, None where it may be.

    Parameters
    ----------
    analysis
        Codes of the reasons its analysis gave, if it was scored.
    """
    checks: tuple[tuple[Refusal, Callable[[], bool]], ...] = (
        (Refusal.BURNED_IN, lambda: ReasonCode.DERIVED_OR_BURNED_IN in analysis),
        (Refusal.BURNED_IN, lambda: _says(dataset, "BurnedInAnnotation", "YES")),
        (Refusal.FACE, lambda: _says(dataset, "RecognizableVisualFeatures", "YES")),
        (Refusal.SECONDARY_CAPTURE, lambda: _is_silent_capture(dataset)),
        (Refusal.ENCAPSULATED, lambda: _class_of(dataset).startswith(_ENCAPSULATED)),
        (Refusal.ENCAPSULATED, lambda: "EncapsulatedDocument" in dataset),
        (Refusal.RAW_DATA, lambda: _class_of(dataset) == RawDataStorage),
    )
    return next((refusal for refusal, holds in checks if holds()), None)


def leaves_text_unsaid(dataset: Dataset) -> bool:
    """Whether an image does not say if text is burned into it."""
    return "Rows" in dataset and not _says(dataset, "BurnedInAnnotation", "NO")


def _is_silent_capture(dataset: Dataset) -> bool:
    uid = _class_of(dataset)
    is_capture = uid == _SECONDARY_CAPTURE or uid.startswith(f"{_SECONDARY_CAPTURE}.")
    return is_capture and not _says(dataset, "BurnedInAnnotation", "NO")


def _class_of(dataset: Dataset) -> str:
    return str(dataset.get("SOPClassUID", ""))


def _says(dataset: Dataset, keyword: str, word: str) -> bool:
    return [str(value).strip().upper() for value in values_of(dataset, keyword)] == [word]
