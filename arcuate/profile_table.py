"""A CSV file of RNFL profiles, one eye a line, still as text.

Columns `eye_id, laterality, age_years` and either `p000` to `p767` (thickness in µm, TSNIT) or the
means of the six sectors `T, TS, NS, N, NI, TI` (µm).
"""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from arcuate.errors import ProfilesUnreadable
from arcuate.scan_files import digest_of
from core.values.profile import PROFILE_SAMPLES
from inference.sector_profile import SECTORS

SAMPLES: Final = tuple(f"p{number:03d}" for number in range(PROFILE_SAMPLES))
_WHO: Final = ("eye_id", "laterality", "age_years")

Values = Mapping[str | None, str | list[str] | None]


class ProfileFrom(StrEnum):
    """What a profile is made from."""

    #: 768 thicknesses around the disc.
    SAMPLES = "samples"
    #: Six sector means; the shape between them is the normal one.
    SECTORS = "sectors"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that hold it, in µm."""
        return SAMPLES if self is ProfileFrom.SAMPLES else SECTORS


@dataclass(frozen=True)
class ProfileLine:
    """One line of the file.

    Attributes
    ----------
    eye_id
        What names the eye; the line's number where it has no name.
    values
        By column; None where the line is too short.
    repeated
        Whether an earlier line has that name already.
    made_from
        What the file's profiles are made from.
    """

    eye_id: str
    values: Values
    repeated: bool
    made_from: ProfileFrom

    @property
    def digest(self) -> str:
        """SHA-256 of what the line says."""
        return digest_of(json.dumps(list(self.values.items())).encode())


def read_lines(path: Path) -> list[ProfileLine]:
    """Return the lines of a file of profiles.

    Raises
    ------
    ProfilesUnreadable
        If it is no CSV file with those columns.
    """
    lines: list[ProfileLine] = []
    names: set[str] = set()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            made_from = _made_from(path, reader.fieldnames or ())
            for values in reader:
                eye_id = str(values["eye_id"] or "").strip() or f"line {reader.line_num}"
                lines.append(ProfileLine(eye_id, values, eye_id in names, made_from))
                names.add(eye_id)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ProfilesUnreadable(f"{path} is no CSV file in UTF-8: {error}") from error
    return lines


def _made_from(path: Path, columns: Sequence[str]) -> ProfileFrom:
    """Return which of the two the columns are; anything unclear is refused."""
    if len(set(columns)) != len(columns):
        raise ProfilesUnreadable(f"{path} names a column twice")
    whole = [kind for kind in ProfileFrom if set(kind.columns) <= set(columns)]
    if len(whole) > 1:
        raise ProfilesUnreadable(
            f"{path} holds samples and sectors, and they might not agree: keep p000 to p767, or "
            "T, TS, NS, N, NI, TI, and take the other columns out"
        )
    missing = [name for name in (*_WHO, *_nearest(columns).columns) if name not in columns]
    if missing:
        raise ProfilesUnreadable(
            f"{path} lacks {len(missing)} columns, the first is {missing[0]}: eye_id, laterality, "
            "age_years and p000 to p767, or the six sectors T, TS, NS, N, NI, TI, are needed, "
            "separated by commas"
        )
    return whole[0]


def _nearest(columns: Sequence[str]) -> ProfileFrom:
    """Return what the file most likely means to hold; samples where nothing tells."""
    return max(
        ProfileFrom, key=lambda kind: len(set(kind.columns) & set(columns)) / len(kind.columns)
    )
