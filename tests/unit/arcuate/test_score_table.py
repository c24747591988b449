import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from arcuate.errors import TableUnwritable
from arcuate.score_row import COLUMNS
from arcuate.score_table import ScoreTable
from core.score_columns import NUMBERS

ENDINGS = pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
LINES = pytest.mark.parametrize("ending", ["csv", "jsonl"])
DIGEST = "sha256:model"


def row(eye_id: str, digest: str = DIGEST) -> dict[str, Any]:
    return {
        **dict.fromkeys(COLUMNS),
        **dict.fromkeys(NUMBERS, 21.5),
        "eye_id": eye_id,
        "laterality": "R",
        "status": "final",
        "estimated": True,
        "model_digest": digest,
        "input_digest": f"sha256:{eye_id}",
    }


def refused_row(eye_id: str) -> dict[str, Any]:
    return {**row(eye_id), **dict.fromkeys(NUMBERS), "status": "not_assessable"}


def rows_of(path: Path) -> list[dict[str, Any]]:
    """Read a table without the code under test."""
    if path.suffix == ".parquet":
        from pyarrow import parquet

        return parquet.read_table(path).to_pylist()
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def ids_of(path: Path) -> list[str]:
    return [found["eye_id"] for found in rows_of(path)]


@ENDINGS
def test_table_holds_every_column_of_a_row(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"scores.{ending}"

    ScoreTable(path).extend([row("a"), refused_row("b")])

    first, second = rows_of(path)
    assert tuple(first) == COLUMNS
    assert (first["eye_id"], float(first["s52"]), str(first["estimated"])) == ("a", 21.5, "True")
    assert (second["status"], second["s1"]) == (
        "not_assessable",
        "" if ending == "csv" else None,
    )


@ENDINGS
def test_table_is_gone_on_with(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"scores.{ending}"
    ScoreTable(path).extend([row("a"), row("b")])

    table = ScoreTable(path)
    known = set(table.digests(DIGEST))
    table.extend([row("c")])

    assert known == {"a", "b"}
    assert ids_of(path) == ["a", "b", "c"]


@ENDINGS
def test_eyes_of_another_model_are_not_held_already(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"scores.{ending}"

    ScoreTable(path).extend([row("a", "sha256:other"), row("b")])

    assert set(ScoreTable(path).digests(DIGEST)) == {"b"}


@LINES
@pytest.mark.parametrize("lost_bytes", [1, 2, 40])
def test_line_cut_off_by_a_kill_is_scored_again(
    tmp_path: Path, ending: str, lost_bytes: int
) -> None:
    path = tmp_path / f"scores.{ending}"
    ScoreTable(path).extend([row("a"), row("b")])
    path.write_bytes(path.read_bytes()[:-lost_bytes])

    table = ScoreTable(path)
    known = set(table.digests(DIGEST))
    table.extend([row("b"), row("c")])

    assert known == {"a"}
    assert ids_of(path) == ["a", "b", "c"]
    assert [tuple(found) for found in rows_of(path)] == [COLUMNS] * 3


@LINES
@pytest.mark.parametrize("kept_bytes", [0, 3, 20])
def test_file_cut_off_in_its_first_line_is_begun_anew(
    tmp_path: Path, ending: str, kept_bytes: int
) -> None:
    path = tmp_path / f"scores.{ending}"
    ScoreTable(path).extend([row("a")])
    path.write_bytes(path.read_bytes()[:kept_bytes])

    ScoreTable(path).extend([row("a")])

    assert ids_of(path) == ["a"]


def killed_after_two() -> Iterator[dict[str, Any]]:
    yield row("a")
    yield row("b")
    raise KeyboardInterrupt


@ENDINGS
def test_rows_before_a_kill_are_kept(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"scores.{ending}"
    with pytest.raises(KeyboardInterrupt):
        ScoreTable(path).extend(killed_after_two())

    table = ScoreTable(path)
    known = set(table.digests(DIGEST))
    table.extend([row("c")])

    assert known == {"a", "b"}
    assert ids_of(path) == ["a", "b", "c"]
    assert list(tmp_path.iterdir()) == [path]


@ENDINGS
def test_eye_that_is_another_now_is_scored_in_its_place(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"scores.{ending}"
    ScoreTable(path).extend([row("a"), row("b"), row("a", "sha256:other")])

    table = ScoreTable(path)
    table.drop(["a", "unknown"], DIGEST)
    known = dict(table.digests(DIGEST))
    table.extend([{**row("a"), "input_digest": "sha256:new"}])

    assert known == {"b": "sha256:b"}
    found = [(r["eye_id"], r["model_digest"], r["input_digest"]) for r in rows_of(path)]
    assert found == [
        ("b", DIGEST, "sha256:b"),
        ("a", "sha256:other", "sha256:a"),
        ("a", DIGEST, "sha256:new"),
    ]


def test_rows_that_waited_when_a_kill_left_both_files_are_told_once(tmp_path: Path) -> None:
    path = tmp_path / "scores.parquet"
    ScoreTable(path).extend([row("a"), row("b")])
    waiting = tmp_path / "scores.parquet.unfinished.jsonl"
    waiting.write_text(json.dumps(row("b")) + "\n")

    ScoreTable(path).extend([row("c")])

    assert ids_of(path) == ["a", "b", "c"]
    assert not waiting.exists()


@pytest.mark.parametrize("name", ["notes.csv", "notes.jsonl", "notes.parquet"])
@pytest.mark.parametrize(
    "content", ["my notes\nand more", "my notes", '{"a": 1}\n', "eye_id,other\n1,2\n"]
)
def test_file_of_something_else_is_refused_and_left_alone(
    tmp_path: Path, name: str, content: str
) -> None:
    path = tmp_path / name
    path.write_text(content)

    with pytest.raises(TableUnwritable, match="choose another"):
        ScoreTable(path)

    assert path.read_text() == content


def test_unknown_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableUnwritable, match=r"\.csv, \.jsonl or \.parquet"):
        ScoreTable(tmp_path / "scores.xlsx")


def test_missing_folder_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(TableUnwritable, match="There is no folder"):
        ScoreTable(tmp_path / "missing" / "scores.csv")
