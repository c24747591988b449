import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer

from arcuate.commands.context import print_json, print_rows, settings_of
from core.errors import SettingsInvalid

SEEN_AT = datetime(2026, 3, 1, 12, 30, 15, 250000, tzinfo=UTC)


def context(config: Path | None = None) -> typer.Context:
    return typer.Context(typer.main.get_command(typer.Typer(callback=lambda: None)), obj=config)


def test_command_line_overrides_the_file_of_the_call(tmp_path: Path) -> None:
    config = tmp_path / "own.toml"
    config.write_text('ae_title = "FILE"\nmodel = "other"')

    settings = settings_of(context(config), model="named", ae_title=None)

    assert (settings.model, settings.ae_title) == ("named", "FILE")


def test_value_of_the_command_line_is_checked(tmp_path: Path) -> None:
    config = tmp_path / "own.toml"
    config.touch()

    with pytest.raises(SettingsInvalid, match="ae_title"):
        settings_of(context(config), ae_title="longer than sixteen")


def test_missing_file_of_the_call_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"missing\.toml cannot be read"):
        settings_of(context(tmp_path / "missing.toml"))


def test_json_has_times_as_rfc_3339(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"seen_at": SEEN_AT, "path": Path("a/b"), "name": "Zürich"})

    assert json.loads(capsys.readouterr().out) == {
        "seen_at": "2026-03-01T12:30:15.250000+00:00",
        "path": "a/b",
        "name": "Zürich",
    }


def test_table_shows_values_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    row: dict[str, Any] = {"ae_title": "[A]", "seen_at": SEEN_AT, "active": True, "port": None}

    print_rows([row], ["ae_title", "seen_at", "active", "port"], as_json=False)

    head, line = capsys.readouterr().out.splitlines()
    assert head.split("  ")[:2] == ["ae title", "seen at"]
    assert line.split() == ["[A]", "2026-03-01", "12:30:15", "UTC", "yes"]


def test_table_in_a_pipe_is_not_wrapped(capsys: pytest.CaptureFixture[str]) -> None:
    cause = (
        "a cause that is longer than the eighty columns a terminal would be taken to have, at least"
    )

    print_rows([{"error": cause}], ["error"], as_json=False)

    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == ["error", cause]


def test_no_rows_are_a_sentence_for_people_and_an_empty_list_for_programs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_rows([], ["name"], as_json=False, nothing="There are none.")
    for_people = capsys.readouterr().out
    print_rows([], ["name"], as_json=True, nothing="There are none.")

    assert (for_people, capsys.readouterr().out) == ("There are none.\n", "[]\n")
