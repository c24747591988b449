"""In what numbers a network can compute; light, because the command line reads it each time."""

from enum import StrEnum


class Precision(StrEnum):
    """In what numbers a network computes; its last layers always in float32."""

    FLOAT32 = "float32"
    MIXED_FLOAT16 = "mixed_float16"
    MIXED_BFLOAT16 = "mixed_bfloat16"
