import csv
from collections.abc import Sequence
from pathlib import Path

import pytest

from arcuate.errors import ProfilesUnreadable
from arcuate.profile_table import SAMPLES, ProfileFrom, read_lines
from inference.sector_profile import SECTORS

WHO = ("eye_id", "laterality", "age_years")


def written(folder: Path, header: Sequence[str], *lines: Sequence[str]) -> Path:
    path = folder / "profiles.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *lines])
    return path


@pytest.mark.parametrize(
    ("columns", "made_from"),
    [
        (SAMPLES, ProfileFrom.SAMPLES),
        (SECTORS, ProfileFrom.SECTORS),
        ((*SAMPLES, "T", "N"), ProfileFrom.SAMPLES),
        ((*SECTORS, "comment"), ProfileFrom.SECTORS),
    ],
)
def test_columns_say_what_the_profiles_are_made_from(
    tmp_path: Path, columns: Sequence[str], made_from: ProfileFrom
) -> None:
    path = written(tmp_path, [*WHO, *columns], ["a", "R", "60", *["80"] * len(columns)])

    assert [line.made_from for line in read_lines(path)] == [made_from]


def test_line_without_a_name_is_named_by_its_number(tmp_path: Path) -> None:
    lines = read_lines(written(tmp_path, [*WHO, *SECTORS], ["a", "R", "60"], ["", "R", "60"]))

    assert [found.eye_id for found in lines] == ["a", "line 3"]


def test_file_saved_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, [*WHO, *SECTORS], ["a", "R", "60", *"123456"])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())

    assert [found.eye_id for found in read_lines(path)] == ["a"]


@pytest.mark.parametrize(
    ("header", "cause"),
    [
        ([*WHO, *SECTORS[:-1]], "lacks 1 columns, the first is TI"),
        ([*WHO, *SECTORS, *SAMPLES], "holds samples and sectors"),
        ([*WHO, *SAMPLES[:-1]], "lacks 1 columns, the first is p767"),
        ([*WHO[1:], *SAMPLES], "the first is eye_id"),
        ([";".join([*WHO, *SAMPLES])], "separated by commas"),
        ([*WHO, *SAMPLES, "p000"], "names a column twice"),
        ([], "lacks 771 columns"),
    ],
)
def test_file_with_other_columns_is_refused(
    tmp_path: Path, header: Sequence[str], cause: str
) -> None:
    with pytest.raises(ProfilesUnreadable, match=cause):
        read_lines(written(tmp_path, header))


def test_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "profiles.csv"
    path.write_bytes(b"\xff\xfe\x00\x01" * 50)

    with pytest.raises(ProfilesUnreadable, match="no CSV file in UTF-8"):
        read_lines(path)
