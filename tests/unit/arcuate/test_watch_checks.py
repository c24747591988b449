from pathlib import Path

from arcuate.checks import run_check
from arcuate.finding import Health
from core.settings import Settings


def test_a_folder_that_is_not_there_is_wrong(tmp_path: Path) -> None:
    found = run_check("watch", Settings(watch_folder=str(tmp_path / "gone")))

    assert (found.health, found.found) == (Health.WRONG, f"{tmp_path / 'gone'} is not there")


def test_what_waits_and_what_was_refused_is_counted(tmp_path: Path) -> None:
    for name in ("a.dcm", "device/b.dcm", "taken/2026-03-04/c.dcm", "refused/2026-03-04/d.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    found = run_check("watch", Settings(watch_folder=str(tmp_path)))

    assert (found.health, found.found) == (Health.NOTE, "2 files wait, 1 refused")
    assert str(tmp_path / "refused") in found.remedy


def test_without_a_folder_nothing_is_wrong() -> None:
    assert run_check("watch", Settings()).health is Health.GOOD
