from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from arcuate.profile_table import ProfileFrom, read_lines
from arcuate.profiles import score_profiles
from arcuate.simulating import GROUP, SimulatedSet, write_set
from inference.model_store import ModelStore
from inference.scorer import Scorer
from inference.simulation.anatomy import Anatomy
from inference.simulation.severity import PatternsOfSeverity, SeverityShares
from inference.simulation.wedges import WedgePatterns


def a_set(count: int, **others: object) -> SimulatedSet:
    known = {"seed": 3, "patterns": WedgePatterns(), "healthy_share": 0.3}
    return SimulatedSet(count, **{**known, **others})


def written(folder: Path, wanted: SimulatedSet) -> Path:
    path = folder / "eyes.csv"
    write_set(wanted, path, wanted.groups)
    return path


def test_same_seed_gives_the_same_first_eyes(tmp_path: Path) -> None:
    few = written(tmp_path, a_set(5)).read_text(encoding="utf-8").splitlines()
    again = written(tmp_path, a_set(5)).read_text(encoding="utf-8").splitlines()
    other = written(tmp_path, a_set(5, seed=4)).read_text(encoding="utf-8").splitlines()

    assert few == again
    assert few != other


def test_whole_groups_do_not_depend_on_how_many_follow(tmp_path: Path) -> None:
    sectors = ProfileFrom.SECTORS
    group = written(tmp_path, a_set(GROUP, made_from=sectors)).read_text(encoding="utf-8")
    more = written(tmp_path, a_set(GROUP + 3, made_from=sectors)).read_text(encoding="utf-8")

    assert more.startswith(group)
    assert len(more.splitlines()) == GROUP + 4


def test_anatomy_is_told_beside_eyes_with_the_same_fields(tmp_path: Path) -> None:
    sectors = ProfileFrom.SECTORS
    plain = read_lines(written(tmp_path, a_set(30, made_from=sectors)))
    varied = read_lines(written(tmp_path, a_set(30, made_from=sectors, anatomy=Anatomy())))

    build = ("axial_length_mm", "disc_fovea_angle_degree")
    assert [set(line.values) - set(plain[0].values) for line in varied] == [set(build)] * 30
    lengths, angles = np.array(
        [[float(str(line.values[name])) for line in varied] for name in build]
    )
    assert lengths.mean() == pytest.approx(23.25, abs=1)
    assert angles.mean() == pytest.approx(7.76, abs=3)
    kept = set(plain[0].values) - set(sectors.columns)
    for before, after in zip(plain, varied, strict=True):
        assert {name: before.values[name] for name in kept} == {
            name: after.values[name] for name in kept
        }
        assert before.values["TS"] != after.values["TS"]


def test_mix_that_came_out_is_told(tmp_path: Path) -> None:
    severe = PatternsOfSeverity(WedgePatterns(), SeverityShares(0.2, 0.3, 0.5))
    wanted = a_set(1500, patterns=severe, healthy_share=0.0, made_from=ProfileFrom.SECTORS)

    mix = write_set(wanted, tmp_path / "eyes.csv", wanted.groups)

    assert mix.healthy_share == 0
    assert mix.severity.as_array() == pytest.approx(np.array([0.2, 0.3, 0.5]), abs=0.05)


def test_b_scans_show_the_first_eyes_and_tell_their_truth(tmp_path: Path) -> None:
    wanted = a_set(4, b_scans=tmp_path / "scans", b_scan_count=2)
    written(tmp_path, wanted)

    names = sorted(path.name for path in (tmp_path / "scans").iterdir())
    stems = ("sim-000001", "sim-000002")
    assert names == [f"{stem}.{ending}" for stem in stems for ending in ("npz", "png")]
    with (
        np.load(tmp_path / "scans" / "sim-000002.npz", allow_pickle=False) as truth,
        Image.open(tmp_path / "scans" / "sim-000002.png") as picture,
    ):
        assert np.array_equal(np.asarray(picture), truth["pixels"])
        shown_um = (truth["rnfl_row"] - truth["ilm_row"]) * truth["axial_um"]
        assert shown_um.mean() == pytest.approx(truth["thickness_um"].mean(), abs=8)


@pytest.mark.parametrize("made_from", list(ProfileFrom))
def test_simulated_eyes_are_scored_as_they_are(tmp_path: Path, made_from: ProfileFrom) -> None:
    wanted = a_set(40, made_from=made_from)
    lines = read_lines(written(tmp_path, wanted))

    rows = list(score_profiles(lines, Scorer.load(ModelStore().load_card("retinervenet"), "cpu")))

    assert [row["status"] for row in rows] == ["final"] * 40
    estimated_db = [float(row["mean_deviation_db"]) for row in rows]
    true_db = [float(str(line.values["mean_deviation_db"])) for line in lines]
    assert np.corrcoef(estimated_db, true_db)[0, 1] > 0.6
