"""What a scan and its quality are called, for people."""

from typing import Final

from core.values.prediction import Prediction
from core.values.scan import ScanKind

#: None where the scan could not be read, so that nothing is known of it.
_KIND_WORDS: Final[dict[ScanKind | None, str]] = {
    ScanKind.CIRCLE: "OCT circle",
    ScanKind.VOLUME: "OCT volume",
    ScanKind.THICKNESS_MAP: "OCT thickness map",
    ScanKind.FUNDUS: "Fundus photograph",
    None: "Scan",
}


def scan_words(prediction: Prediction) -> str:
    """Return what the device recorded, such as `OCT volume`."""
    return kind_words(prediction.scan_kind)


def kind_words(kind: ScanKind | None) -> str:
    """Return what a scan of a kind is called."""
    return _KIND_WORDS[kind]


def quality_name(prediction: Prediction) -> str:
    """Return what the quality of this kind of scan is a share of."""
    if prediction.scan_kind is ScanKind.THICKNESS_MAP:
        # A map has no picture to judge: all that is known is where the device gave a thickness.
        return "Circle with values"
    return "Photograph quality" if prediction.is_of_photograph else "Scan quality"
