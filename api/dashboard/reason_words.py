"""What each reason for which there is no estimate is called, where its own message is not read."""

from typing import Final

from api.dashboard.languages import ENGLISH
from api.dashboard.translation import current_language, gettext, to_translate
from core.values.reason import Reason, ReasonCode

REASON_WORDS: Final[dict[ReasonCode, str]] = {
    ReasonCode.LATERALITY_MISSING: to_translate("The scan does not say which eye it is of."),
    ReasonCode.LATERALITY_CONFLICT: to_translate("The scan names both the right and the left eye."),
    ReasonCode.LATERALITY_BOTH: to_translate("The scan is of both eyes at once."),
    ReasonCode.PIXELS_UNREADABLE: to_translate("The picture cannot be read."),
    ReasonCode.PIXELS_TRUNCATED: to_translate("The picture is incomplete."),
    ReasonCode.VENDOR_ENCRYPTED_PIXELS: to_translate("The device encrypted the picture."),
    ReasonCode.DERIVED_OR_BURNED_IN: to_translate(
        "The picture was processed, or has text written into it."
    ),
    ReasonCode.SCAN_PATTERN_UNSUPPORTED: to_translate("No model reads this kind of scan."),
    ReasonCode.PATTERN_UNKNOWN: to_translate("The scan does not say where on the eye it lies."),
    ReasonCode.PATTERN_CONFLICT: to_translate("What the scan says of its pattern does not agree."),
    ReasonCode.SPACING_MISSING: to_translate("The scan does not say how large a pixel is."),
    ReasonCode.SPACING_IMPLAUSIBLE: to_translate("The size of a pixel cannot be true."),
    ReasonCode.TOO_LARGE: to_translate("The scan is too large."),
    ReasonCode.NOT_MODEL_INPUT: to_translate("No model reads this kind of object."),
    ReasonCode.DISC_NOT_FOUND: to_translate("The optic disc was not found."),
    ReasonCode.SIGNAL_TOO_LOW: to_translate("The signal is too weak."),
    ReasonCode.SEGMENTATION_UNRELIABLE: to_translate(
        "The nerve fibre layer could not be followed reliably."
    ),
    ReasonCode.AGE_MISSING: to_translate("The patient's age is unknown."),
    ReasonCode.OUTSIDE_INTENDED_USE: to_translate("The model is not meant for this scan."),
    ReasonCode.PROCESSING_FAILED: to_translate("Scoring broke; the scan itself may be good."),
}


def reason_name(code: str) -> str:
    """Return a reason in plain words, without the numbers of the scan."""
    return gettext(REASON_WORDS[ReasonCode(code)])


def reason_words(reason: Reason) -> str:
    """Return why there is no estimate: with its numbers as recorded in English, else in words."""
    if current_language() is ENGLISH:
        return reason.message
    return gettext(REASON_WORDS[reason.code])
