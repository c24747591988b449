"""What of an object may stay: the options of PS3.15 E.3 that we know."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Option(StrEnum):
    """An option of the profile."""

    #: Keep the time between two visits: all dates of a patient move by the same number of days.
    MODIFIED_DATES = "modified-dates"
    #: Keep which device it was: serial number, station, Device UID.
    DEVICE_IDENTITY = "device-identity"
    #: Keep age (at most 90 years), sex, size and the like.
    PATIENT_CHARACTERISTICS = "patient-characteristics"
    #: Keep descriptions that hold nothing but words of the field.
    CLEAN_DESCRIPTORS = "clean-descriptors"


@dataclass(frozen=True)
class Method:
    """How an object was made nobody's: a code of PS3.16 CID 7050."""

    code: str
    meaning: str


BASIC_PROFILE: Final = Method("113100", "Basic Application Confidentiality Profile")
#: Always done, to documents alone: the profile by itself would empty them.
STRUCTURED_CONTENT: Final = Method("113104", "Clean Structured Content Option")
METHODS: Final[dict[Option, Method]] = {
    Option.MODIFIED_DATES: Method(
        "113107", "Retain Longitudinal Temporal Information Modified Dates Option"
    ),
    Option.DEVICE_IDENTITY: Method("113109", "Retain Device Identity Option"),
    Option.PATIENT_CHARACTERISTICS: Method("113108", "Retain Patient Characteristics Option"),
    Option.CLEAN_DESCRIPTORS: Method("113105", "Clean Descriptors Option"),
}
