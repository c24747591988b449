import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from arcuate.profile_table import read_lines
from arcuate.profiles import score_profiles
from arcuate.score_row import Row
from core.perimetry.rnfl import normal_profile_um
from inference.model_store import ModelStore
from inference.scorer import Scorer
from inference.sector_profile import SECTORS, sectors_of

HEADER = ["eye_id", "laterality", "age_years", *(f"p{sample:03d}" for sample in range(768))]
SECTOR_HEADER = ["eye_id", "laterality", "age_years", *SECTORS]
HEALTHY_SECTORS_UM = [f"{value:.2f}" for value in sectors_of(normal_profile_um(60.0))]
HEALTHY_UM = [f"{value:.2f}" for value in normal_profile_um(60.0)]


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer.load(ModelStore().load_card("retinervenet"), "cpu")


def line(
    eye_id: str = "a", side: str = "R", age: str = "60", samples: Sequence[str] = HEALTHY_UM
) -> list[str]:
    return [eye_id, side, age, *samples]


def changed(index: int, value: str) -> list[str]:
    return [*HEALTHY_UM[:index], value, *HEALTHY_UM[index + 1 :]]


def written(folder: Path, *lines: list[str], header: Sequence[str] = HEADER) -> Path:
    path = folder / "profiles.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *lines])
    return path


def scored(folder: Path, scorer: Scorer, *lines: list[str]) -> list[Row]:
    return list(score_profiles(read_lines(written(folder, *lines)), scorer))


def test_healthy_profile_gives_a_field_near_the_norm(tmp_path: Path, scorer: Scorer) -> None:
    (row,) = scored(tmp_path, scorer, line("eye 7", "L"))

    assert (row["eye_id"], row["laterality"], row["status"]) == ("eye 7", "L", "final")
    assert row["mean_deviation_db"] == pytest.approx(0.0, abs=2.0)
    assert all(row[f"lower{n}"] <= row[f"s{n}"] <= row[f"upper{n}"] for n in range(1, 53))
    assert (row["estimated"], row["model"], row["model_digest"]) == (
        True,
        "retinervenet",
        scorer.identity.digest,
    )


def test_both_eyes_read_the_same_profile_alike(tmp_path: Path, scorer: Scorer) -> None:
    right, left = scored(tmp_path, scorer, line("a", "R"), line("b", "L"))

    assert [right[f"s{n}"] for n in range(1, 53)] == [left[f"s{n}"] for n in range(1, 53)]


def test_lost_inferior_fibres_lower_the_superior_field(tmp_path: Path, scorer: Scorer) -> None:
    angles = (np.arange(768) + 0.5) * 360 / 768
    lost = np.where((angles > 250) & (angles < 320), 0.45, 1.0) * normal_profile_um(60.0)

    (row,) = scored(tmp_path, scorer, line(samples=[f"{value:.1f}" for value in lost]))

    superior = np.mean([row[f"s{n}"] for n in range(1, 27)])
    assert superior < np.mean([row[f"s{n}"] for n in range(27, 53)])


@pytest.mark.parametrize(
    ("bad", "cause"),
    [
        (line(side="X"), "laterality must be R or L"),
        (line(side=""), "laterality must be R or L"),
        (line(side="B"), "laterality must be R or L"),
        (line(age="old"), "age_years is no number"),
        (line(age="-1"), "age_years is -1, not between 0 and 130 years"),
        (line(samples=changed(3, "thick")), "p003 is no number"),
        (line(samples=changed(767, "nan")), "p767 is nan, not between 0 and 500 µm"),
        (line(samples=changed(0, "-2")), "p000 is -2, not between 0 and 500 µm"),
        (line(samples=changed(5, "")), "p005 is no number"),
        (line(samples=["0.095"] * 768), "the mean is 0.1: is the thickness in µm?"),
        (line(samples=["95000"] * 768), "p000 is 95000, not between 0 and 500 µm"),
        (line()[:-1], "the line has more or fewer values than the header"),
        ([*line(), "1"], "the line has more or fewer values than the header"),
    ],
)
def test_bad_line_is_a_failed_row_and_the_next_is_scored(
    tmp_path: Path, scorer: Scorer, bad: list[str], cause: str
) -> None:
    failed, good = scored(tmp_path, scorer, bad, line("good"))

    assert (failed["eye_id"], failed["status"], failed["reasons"]) == ("a", "failed", cause)
    assert (failed["s1"], failed["mean_deviation_db"]) == (None, None)
    assert (good["eye_id"], good["status"]) == ("good", "final")


@pytest.mark.parametrize(
    ("age", "reason"), [("", "age_missing"), ("4", "outside_intended_use"), (" ", "age_missing")]
)
def test_eye_the_model_is_not_meant_for_is_not_assessable(
    tmp_path: Path, scorer: Scorer, age: str, reason: str
) -> None:
    (row,) = scored(tmp_path, scorer, line(age=age))

    assert (row["status"], row["reasons"], row["laterality"]) == ("not_assessable", reason, "R")
    assert "age" in row["explanation"]
    assert row["s1"] is None


def test_second_eye_of_one_name_is_refused(tmp_path: Path, scorer: Scorer) -> None:
    rows = scored(tmp_path, scorer, line("a", "R"), line("a", "L"))

    assert [row["status"] for row in rows] == ["final", "failed"]
    assert rows[1]["reasons"] == "an earlier line has the same eye_id: each eye needs its own"


def test_more_lines_than_a_group_keep_their_order(tmp_path: Path, scorer: Scorer) -> None:
    names = [f"eye {number}" for number in range(70)]
    sides = ["X" if number % 9 == 0 else "R" for number in range(70)]

    rows = scored(tmp_path, scorer, *map(line, names, sides))

    assert [row["eye_id"] for row in rows] == names
    assert [row["status"] == "failed" for row in rows] == [side == "X" for side in sides]


def scored_sectors(folder: Path, scorer: Scorer, sectors_um: Sequence[str], age: str = "60") -> Row:
    path = written(folder, line(age=age, samples=sectors_um), header=SECTOR_HEADER)
    (row,) = score_profiles(read_lines(path), scorer)
    return row


def test_row_says_what_the_profile_was_made_from(tmp_path: Path, scorer: Scorer) -> None:
    samples, failed = scored(tmp_path, scorer, line("a"), line("b", "X"))
    sectors = scored_sectors(tmp_path, scorer, HEALTHY_SECTORS_UM)

    assert [row["profile_from"] for row in (samples, failed, sectors)] == [
        "samples",
        "samples",
        "sectors",
    ]


def test_sectors_of_a_profile_give_nearly_its_field(tmp_path: Path, scorer: Scorer) -> None:
    (from_samples,) = scored(tmp_path, scorer, line())
    from_sectors = scored_sectors(tmp_path, scorer, HEALTHY_SECTORS_UM)

    fields = [[row[f"s{n}"] for n in range(1, 53)] for row in (from_samples, from_sectors)]
    assert from_sectors["status"] == "final"
    assert fields[1] == pytest.approx(fields[0], abs=0.1)


def test_thin_inferotemporal_sector_lowers_the_superior_field(
    tmp_path: Path, scorer: Scorer
) -> None:
    row = scored_sectors(tmp_path, scorer, [*HEALTHY_SECTORS_UM[:-1], "60"])

    superior = np.mean([row[f"s{n}"] for n in range(1, 27)])
    assert superior < np.mean([row[f"s{n}"] for n in range(27, 53)])


@pytest.mark.parametrize(
    ("sectors_um", "cause"),
    [
        ([*HEALTHY_SECTORS_UM[:-1], "0"], "TI is 0, not between 1 and 500 µm"),
        (["", *HEALTHY_SECTORS_UM[1:]], "T is no number"),
        (["9"] * 6, "the mean is 9.0: is the thickness in µm?"),
    ],
)
def test_sectors_that_are_none_are_a_failed_row(
    tmp_path: Path, scorer: Scorer, sectors_um: list[str], cause: str
) -> None:
    row = scored_sectors(tmp_path, scorer, sectors_um)

    assert (row["status"], row["reasons"]) == ("failed", cause)


@pytest.mark.parametrize(("age", "reason"), [("", "age_missing"), ("4", "outside_intended_use")])
def test_sectors_of_an_eye_the_model_is_not_meant_for_are_not_assessable(
    tmp_path: Path, scorer: Scorer, age: str, reason: str
) -> None:
    row = scored_sectors(tmp_path, scorer, HEALTHY_SECTORS_UM, age)

    assert (row["status"], row["reasons"]) == ("not_assessable", reason)
