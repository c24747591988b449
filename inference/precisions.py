"""In what numbers a network can compute; light, because the command line reads it each time."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from pydantic import ConfigDict


class Precision(StrEnum):
    """In what numbers a network computes; its last layers always in float32."""

    FLOAT32 = "float32"
    MIXED_FLOAT16 = "mixed_float16"
    MIXED_BFLOAT16 = "mixed_bfloat16"


@dataclass(frozen=True)
class PrecisionCheck:
    """What a precision was measured to change.

    Attributes
    ----------
    largest_difference_db
        Between its fields and those in float32, over all points of all eyes of the probe.
    eyes
        How many the probe had.
    device, software
        Where it was measured.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", allow_inf_nan=False)

    largest_difference_db: float
    eyes: int
    device: str
    software: str
