"""The formats of the report of both eyes, in the order they are delivered."""

from typing import Final

from reports.both_eyes_capture import BothEyesCapture
from reports.both_eyes_format import BothEyesFormat
from reports.both_eyes_pdf import BothEyesPdf
from reports.both_eyes_sr import BothEyesSr

BOTH_EYES_FORMATS: Final[tuple[BothEyesFormat, ...]] = (
    BothEyesSr(),
    BothEyesCapture(),
    BothEyesPdf(),
)
