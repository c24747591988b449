"""`arcuate destinations`, `rules` and `deliveries`, and what `doctor` says of destinations."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from arcuate.cli import main
from arcuate.destination_checks import check_destinations
from arcuate.finding import Health
from core.database import Database
from core.deliveries.destinations import find_destination
from core.deliveries.outcomes import record_refused
from core.settings import Settings
from core.tables.columns import key_of
from core.tables.deliveries import DeliveryRow
from tests.builders.planned_delivery import plan
from tests.fixtures.logs import configured_logs

SECRET = "made-up-token"  # noqa: S105 - of no service

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(
    settings: Settings,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Call:
    """Call `arcuate` in this process; return its exit code and what it printed."""
    monkeypatch.setenv("ARCUATE_HOME", str(settings.home))
    monkeypatch.setenv("ARCUATE_DATABASE_URL", settings.database_url)
    # A command leaves its connections to the end of its process, which here goes on.
    monkeypatch.setattr("arcuate.node.Database", lambda *_: database)

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["arcuate", *map(str, words)])
        # Its log goes to what is standard error now, and must not go there for good.
        with configured_logs("command"), pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run


def shown(call: Call, *words: object) -> Any:
    code, out, err = call(*words, "--json")
    assert code == 0, err
    return json.loads(out)


def test_destination_is_added_with_a_rule_and_removed(call: Call, tmp_path: Path) -> None:
    assert call("destinations", "list")[1].startswith("There are none")
    code, out, _ = call("destinations", "add", "share", "folder", tmp_path)
    assert (code, out) == (
        0,
        "share is known. Every new result goes there: `arcuate rules` says which.\n",
    )
    [rule] = shown(call, "rules", "list")
    assert (rule["destination"], rule["statuses"], rule["reports"]) == ("share", [], [])

    call("destinations", "disable", "share")
    [listed] = shown(call, "destinations", "list")
    assert (listed["name"], listed["kind"], listed["enabled"]) == ("share", "folder", False)
    call("destinations", "enable", "share")
    assert call("destinations", "probe", "share")[:2] == (0, "share answers.\n")

    assert call("destinations", "remove", "share")[0] == 0
    assert shown(call, "destinations", "list") == []
    assert call("destinations", "remove", "share")[0] == 1


def test_secret_comes_from_a_file_and_is_printed_nowhere(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    added = call(
        *("destinations", "add", "web", "stow_rs", "https://pacs.example/dicom-web"),
        *("--secret-file", file, "--no-rule"),
    )
    assert added[0] == 0, added[2]

    listed = call("destinations", "list", "--json")
    assert json.loads(listed[1])[0]["has_secret"] is True
    for _, out, err in (added, listed, call("destinations", "list")):
        assert SECRET not in out + err
    assert shown(call, "rules", "list") == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("destinations", "add", "x", "pigeon", "roof"), "There is no target 'pigeon'"),
        (("destinations", "add", "x", "folder", "here"), "is no absolute path"),
        (("destinations", "add", "x y", "folder", "/share"), "is no name of a destination"),
        (("destinations", "add", "x", "folder", "/s", "--option", "a"), "KEY=VALUE"),
        (("rules", "add", "share", "--status", "lost"), "'lost' is no status"),
        (("rules", "add", "share", "--report", "opv"), "'opv' is no kind of report"),
        (("rules", "add", "share", "--laterality", "B"), "'B' is no laterality"),
        (("deliveries", "retry"), "Name one delivery"),
    ],
)
def test_wrong_use_is_told_with_exit_code_2(
    call: Call, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    call("destinations", "add", "share", "folder", tmp_path)

    code, _, err = call(*words)

    assert code == 2
    assert said in err


def test_rules_say_which_results_go(call: Call, tmp_path: Path) -> None:
    call("destinations", "add", "share", "folder", tmp_path, "--no-rule")
    asked = ("--status", "final", "--status", "failed", "--report", "sr", "--laterality", "L")
    assert call("rules", "add", "share", *asked, "--model", "retinervenet:1.0.0")[0] == 0

    [rule] = shown(call, "rules", "list")

    assert rule == {
        "id": 1,
        "destination": "share",
        "statuses": ["final", "failed"],
        "model": "retinervenet:1.0.0",
        "laterality": "L",
        "reports": ["sr"],
    }
    assert call("rules", "remove", 1)[0] == 0
    assert call("rules", "remove", 1)[0] == 1


@pytest.fixture
def given_up(call: Call, database: Database, tmp_path: Path) -> int:
    call("destinations", "add", "share", "folder", tmp_path / "away")
    [planned] = plan(database, "1.2.1")
    plan(database, "1.2.2")
    with database.transaction() as session:
        row = session.get_one(DeliveryRow, key_of(planned))
        record_refused(session, find_destination(session, "share"), row, "never", {})
    return key_of(planned)


def test_deliveries_are_listed_sent_again_and_dismissed(call: Call, given_up: int) -> None:
    [listed] = shown(call, "deliveries", "list", "--state", "gave_up")
    assert (listed["id"], listed["destination"], listed["error"]) == (given_up, "share", "never")
    assert len(shown(call, "deliveries", "list", "--destination", "share")) == 2

    assert call("deliveries", "dismiss", given_up)[0] == 0
    assert call("deliveries", "retry", given_up)[:2] == (0, "1 deliveries are due.\n")
    assert call("deliveries", "retry", "--destination", "share")[1] == "2 deliveries are due.\n"
    assert {row["state"] for row in shown(call, "deliveries", "list")} == {"waiting"}
    assert call("deliveries", "dismiss", given_up)[0] == 1
    assert call("deliveries", "retry", 99)[0] == 1
    assert call("deliveries", "plan", "--since", "2020-01-31")[1] == "0 deliveries were planned.\n"
    assert call("deliveries", "plan", "--since", "yesterday")[0] == 2


def test_doctor_says_which_destination_is_down(
    call: Call, settings: Settings, given_up: int, tmp_path: Path
) -> None:
    call("destinations", "add", "here", "folder", tmp_path)

    found = check_destinations(settings)

    assert found.health is Health.WRONG
    assert found.found.startswith("share is down: The folder")
    assert found.found.endswith("1 deliveries wait")

    (tmp_path / "away").mkdir()
    assert check_destinations(settings).found == "1 to share were given up"
    call("deliveries", "dismiss", given_up)
    well = check_destinations(settings)
    assert (well.health, well.found) == (
        Health.GOOD,
        "2 known, all that are enabled answer, 1 deliveries wait",
    )


def test_doctor_says_that_what_is_off_keeps_results_waiting(
    call: Call, settings: Settings, given_up: int
) -> None:
    call("destinations", "disable", "share")

    assert check_destinations(settings).found == "share is disabled, 1 deliveries wait"


def test_doctor_without_destinations_is_content(database: Database, settings: Settings) -> None:
    assert check_destinations(settings).health is Health.GOOD
