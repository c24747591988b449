"""What a person can do about each reason for which there is no estimate."""

from typing import Final, Protocol

from api.dashboard.translation import gettext, to_translate
from core.values.reason import Reason, ReasonCode

_RESEND: Final = to_translate("Export the scan again from the device and send it again.")
_ENTER_EYE: Final = to_translate(
    "Correct the eye at the device, then send the scan again. The eye is never guessed."
)
_OTHER_SCAN: Final = to_translate(
    "Take or send a circle scan around the optic disc (12°, about 3.5 mm), or a volume over it; "
    "other scan patterns have no model."
)
_RESCAN: Final = to_translate(
    "Scan the eye again: clean the lens, let the patient blink, widen the pupil if it is small, "
    "and keep the disc in the centre of the circle."
)
_TRUE_OPT: Final = to_translate(
    "Switch the export at the device to unprocessed OPT objects, with open pixel data and without "
    "text in the image, then send the scan again."
)
_SPACING: Final = to_translate(
    "Export the scan with its true pixel spacing; converters often write a placeholder. "
    "Sending straight from the device helps."
)

#: One sentence or two for every reason: what to do next.
ADVICE: Final[dict[ReasonCode, str]] = {
    ReasonCode.LATERALITY_MISSING: _ENTER_EYE,
    ReasonCode.LATERALITY_CONFLICT: _ENTER_EYE,
    ReasonCode.LATERALITY_BOTH: _ENTER_EYE,
    ReasonCode.PIXELS_UNREADABLE: _RESEND,
    ReasonCode.PIXELS_TRUNCATED: _RESEND,
    ReasonCode.VENDOR_ENCRYPTED_PIXELS: _TRUE_OPT,
    ReasonCode.DERIVED_OR_BURNED_IN: _TRUE_OPT,
    ReasonCode.SCAN_PATTERN_UNSUPPORTED: _OTHER_SCAN,
    ReasonCode.PATTERN_UNKNOWN: _OTHER_SCAN,
    ReasonCode.PATTERN_CONFLICT: _RESEND,
    ReasonCode.SPACING_MISSING: _SPACING,
    ReasonCode.SPACING_IMPLAUSIBLE: _SPACING,
    ReasonCode.TOO_LARGE: to_translate(
        "Send the scan of the optic disc alone, in the device's own size."
    ),
    ReasonCode.NOT_MODEL_INPUT: to_translate(
        "Nothing needs to be done: this object is not one a model reads."
    ),
    ReasonCode.DISC_NOT_FOUND: to_translate(
        "Scan the eye again with the optic disc in the centre."
    ),
    ReasonCode.SIGNAL_TOO_LOW: _RESCAN,
    ReasonCode.SEGMENTATION_UNRELIABLE: _RESCAN,
    ReasonCode.AGE_MISSING: to_translate(
        "Enter the birth date at the device, then send the scan again."
    ),
    ReasonCode.OUTSIDE_INTENDED_USE: to_translate(
        "The model must not be used for this scan; measure the visual field instead."
    ),
    ReasonCode.PROCESSING_FAILED: to_translate(
        "Tell your administrator: the job and its cause are in the list of jobs, and it can be "
        "tried again there without a new scan."
    ),
}

#: What another scan of the eye, taken at once, may do away with.
SCAN_AGAIN: Final = (
    ReasonCode.DISC_NOT_FOUND,
    ReasonCode.SIGNAL_TOO_LOW,
    ReasonCode.SEGMENTATION_UNRELIABLE,
)

_RETAKE: Final = to_translate(
    "Photograph the eye again: clean the lens, let the patient blink, widen the pupil if it is "
    "small, and keep the disc sharp and away from the edge."
)
_ORIGINAL: Final = to_translate("Export the photograph as the camera took it, then send it again.")
#: Where a photograph needs another answer than an OCT scan.
_PHOTOGRAPH_ADVICE: Final[dict[ReasonCode, str]] = {
    ReasonCode.DERIVED_OR_BURNED_IN: _ORIGINAL,
    ReasonCode.SCAN_PATTERN_UNSUPPORTED: to_translate(
        "Send a single photograph of 30 to 50° that shows the optic disc, or an OCT scan."
    ),
    ReasonCode.PATTERN_UNKNOWN: _ORIGINAL,
    ReasonCode.SPACING_IMPLAUSIBLE: _ORIGINAL,
    ReasonCode.TOO_LARGE: to_translate("Send the single photograph, not a montage."),
    ReasonCode.DISC_NOT_FOUND: to_translate(
        "Photograph the eye again with the whole optic disc in the picture."
    ),
    ReasonCode.SIGNAL_TOO_LOW: _RETAKE,
    ReasonCode.SEGMENTATION_UNRELIABLE: _RETAKE,
}


class Scanned(Protocol):
    """What advice asks of a scan."""

    @property
    def is_of_photograph(self) -> bool:
        """Whether it is a photograph of the fundus."""
        ...


def advice_of(reason: Reason, prediction: Scanned) -> str:
    """Return what a person can do about a reason, for the kind of scan it was."""
    if prediction.is_of_photograph and reason.code in _PHOTOGRAPH_ADVICE:
        return gettext(_PHOTOGRAPH_ADVICE[reason.code])
    return gettext(ADVICE[reason.code])
