"""The columns of a table of scores, one row an eye: what is written of each."""

from typing import Final

_POINTS: Final = range(1, 53)
#: The field in right-eye order, and the limits of its intervals, dB.
FIELD_COLUMNS: Final = tuple(
    f"{prefix}{point}" for prefix in ("s", "lower", "upper") for point in _POINTS
)
#: Columns that hold a number in dB: the field, the limits of its intervals, the index.
NUMBERS: Final = (*FIELD_COLUMNS, "mean_deviation_db")
#: `reasons` holds codes, separated by spaces, where there is no field, and `explanation` their
#: sentences for people; where scoring failed `reasons` is a sentence itself.
#: `profile_from` says what the profile was made from: a kind of scan, samples or sectors.
COLUMNS: Final = (
    "eye_id",
    "laterality",
    "status",
    "reasons",
    "explanation",
    "profile_from",
    *NUMBERS,
    "estimated",
    "model",
    "model_version",
    "model_digest",
)
#: Decimals of every number.
DECIMALS: Final = 3
