from pathlib import Path

import pytest

from dicom_node.storage.waiting import (
    NOTHING,
    Level,
    Waiting,
    count_waiting,
    moved_digest,
    waiting_keys,
)

DIGEST = "ab" * 32


@pytest.mark.parametrize(
    ("key", "digest"),
    [
        (f"a/{DIGEST}.dcm", DIGEST),
        (f"ab/ab/{DIGEST}.dcm", DIGEST),
        (f"previews/ab/{DIGEST}.png", None),
        (f"previews/ab/{DIGEST}.dcm", None),
        ("health/0123", None),
        (f"{DIGEST}.dcm", None),
    ],
)
def test_instances_and_reports_move_and_nothing_else(key: str, digest: str | None) -> None:
    assert moved_digest(key) == digest


def test_folder_is_the_list_of_what_waits(tmp_path: Path) -> None:
    for key in (f"a/{DIGEST}.dcm", f"previews/ab/{DIGEST}.png", f".unfinished/{DIGEST}"):
        (tmp_path / key).parent.mkdir(parents=True)
        (tmp_path / key).write_bytes(b"12345")

    written = (tmp_path / f"a/{DIGEST}.dcm").stat().st_mtime
    assert list(waiting_keys(tmp_path)) == [f"a/{DIGEST}.dcm"]
    assert count_waiting(tmp_path) == Waiting(1, 5, written)


def test_what_this_process_adds_counts_at_once(tmp_path: Path) -> None:
    level = Level(tmp_path)
    assert level.size_bytes() == 0
    assert count_waiting(tmp_path) == NOTHING

    level.add(7)

    assert level.size_bytes() == 7
