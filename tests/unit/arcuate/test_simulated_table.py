import csv
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from arcuate.errors import TableUnwritable
from arcuate.profile_table import SAMPLES, ProfileFrom, read_lines
from arcuate.simulated_table import EyeTable, check_writable, write_eyes
from inference.sector_profile import SECTORS, sectors_of
from inference.simulation.anatomy import Anatomy
from inference.simulation.eyes import SimulatedEyes, simulate_eyes
from inference.simulation.wedges import WedgePatterns

EYES = simulate_eyes(np.random.default_rng(1), 12, WedgePatterns())
SIDES = np.array(["R", "L"] * 6)


def table(made_from: ProfileFrom = ProfileFrom.SAMPLES, first: int = 1) -> EyeTable:
    return EyeTable.of(EYES, SIDES, first, made_from)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def numbers(row: dict[str, str], names: tuple[str, ...]) -> list[float]:
    return [float(row[name]) for name in names]


def test_csv_holds_every_eye_with_its_truth(tmp_path: Path) -> None:
    path = tmp_path / "eyes.csv"
    write_eyes(path, [table(), table(first=13)])

    rows = rows_of(path)
    assert [row["eye_id"] for row in rows] == [f"sim-{number:06d}" for number in range(1, 25)]
    assert [row["laterality"] for row in rows[:12]] == SIDES.tolist()
    last = rows[11]
    assert numbers(last, SAMPLES) == pytest.approx(EYES.thickness_um[11], abs=0.006)
    for prefix, fields in (("true_s", EYES.true_db), ("measured_s", EYES.measured_db)):
        names = tuple(f"{prefix}{point}" for point in range(1, 53))
        assert numbers(last, names) == pytest.approx(fields[11], abs=0.006)
    others = (EYES.age_years[11], EYES.mean_deviation_db[11], float(EYES.healthy[11]))
    found = numbers(last, ("age_years", "mean_deviation_db", "healthy"))
    assert found == pytest.approx(others, abs=0.006)


def test_csv_is_one_the_scoring_reads(tmp_path: Path) -> None:
    for made_from in ProfileFrom:
        path = tmp_path / f"{made_from}.csv"
        write_eyes(path, [table(made_from)])

        lines = read_lines(path)
        assert [line.made_from for line in lines] == [made_from] * len(EYES)
        assert not any(line.repeated or None in line.values for line in lines)


def test_sectors_are_written_instead_of_samples(tmp_path: Path) -> None:
    path = tmp_path / "eyes.csv"
    write_eyes(path, [table(ProfileFrom.SECTORS)])

    row = rows_of(path)[3]
    assert numbers(row, SECTORS) == pytest.approx(sectors_of(EYES.thickness_um[3]), abs=0.006)
    assert not set(SAMPLES) & set(row)


def test_archive_holds_arrays_without_objects(tmp_path: Path) -> None:
    path = tmp_path / "eyes.npz"
    write_eyes(path, [table(), table(first=13)])

    with np.load(path, allow_pickle=False) as arrays:
        assert arrays["eye_id"][-1] == "sim-000024"
        assert np.array_equal(arrays["thickness_um"][:12], EYES.thickness_um)
        assert np.array_equal(arrays["measured_db"][12:], EYES.measured_db)
        assert arrays["laterality"].tolist() == [*SIDES, *SIDES]


def test_anatomy_is_written_where_it_varies(tmp_path: Path) -> None:
    anatomies = Anatomy().draw(np.random.default_rng(4), len(EYES))
    path = tmp_path / "eyes.npz"
    write_eyes(path, [EyeTable.of(EYES, SIDES, 1, ProfileFrom.SAMPLES, anatomies)])

    with np.load(path, allow_pickle=False) as arrays:
        assert np.array_equal(arrays["axial_length_mm"][:, 0], anatomies.axial_length_mm)
        assert np.array_equal(
            arrays["disc_fovea_angle_degree"][:, 0], anatomies.disc_fovea_angle_degree
        )
    assert not {"axial_length_mm", "disc_fovea_angle_degree"} & set(table().columns)


def test_parquet_holds_the_same_columns(tmp_path: Path) -> None:
    path = tmp_path / "eyes.parquet"
    write_eyes(path, [table(), table(first=13)])

    found = parquet.read_table(path)
    assert tuple(found.column_names) == table().columns
    assert found.num_rows == 24
    assert found.column("p003").to_numpy()[:12] == pytest.approx(EYES.thickness_um[:, 3])
    assert found.column("laterality").to_pylist()[:2] == ["R", "L"]


def test_unfinished_file_is_not_left_behind(tmp_path: Path) -> None:
    def broken() -> "list[EyeTable]":
        raise RuntimeError("cut off")

    with pytest.raises(RuntimeError, match="cut off"):
        write_eyes(tmp_path / "eyes.csv", (one for one in [table()] for _ in broken()))

    assert list(tmp_path.iterdir()) == []


def test_file_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(TableUnwritable, match=r"one of \.csv, \.npz, \.parquet"):
        check_writable(tmp_path / "eyes.xlsx")
    with pytest.raises(TableUnwritable, match="There is no folder"):
        check_writable(tmp_path / "missing" / "eyes.csv")


def test_healthy_is_part_of_an_eye() -> None:
    eyes: SimulatedEyes = simulate_eyes(np.random.default_rng(2), 400, WedgePatterns(), 0.25)

    assert eyes.healthy.mean() == pytest.approx(0.25, abs=0.07)
    assert eyes.mean_deviation_db[eyes.healthy].mean() > eyes.mean_deviation_db.mean()
