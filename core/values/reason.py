"""Why a scan has no estimated field, in a code that never changes and a sentence for people."""

from dataclasses import dataclass
from enum import StrEnum


class ReasonCode(StrEnum):
    """Why an object ends without an estimate. Codes are a contract: add, never rename."""

    LATERALITY_MISSING = "laterality_missing"
    LATERALITY_CONFLICT = "laterality_conflict"
    LATERALITY_BOTH = "laterality_both"
    PIXELS_UNREADABLE = "pixels_unreadable"
    PIXELS_TRUNCATED = "pixels_truncated"
    VENDOR_ENCRYPTED_PIXELS = "vendor_encrypted_pixels"
    DERIVED_OR_BURNED_IN = "derived_or_burned_in"
    SCAN_PATTERN_UNSUPPORTED = "scan_pattern_unsupported"
    PATTERN_UNKNOWN = "pattern_unknown"
    PATTERN_CONFLICT = "pattern_conflict"
    SPACING_MISSING = "spacing_missing"
    SPACING_IMPLAUSIBLE = "spacing_implausible"
    TOO_LARGE = "too_large"
    NOT_MODEL_INPUT = "not_model_input"
    DISC_NOT_FOUND = "disc_not_found"
    SIGNAL_TOO_LOW = "signal_too_low"
    SEGMENTATION_UNRELIABLE = "segmentation_unreliable"
    AGE_MISSING = "age_missing"
    OUTSIDE_INTENDED_USE = "outside_intended_use"
    #: The attempts of a job are used up; only a `failed` prediction carries it.
    PROCESSING_FAILED = "processing_failed"


@dataclass(frozen=True)
class Reason:
    """One reason: a code for programs and a message for people, without patient data."""

    code: ReasonCode
    message: str
