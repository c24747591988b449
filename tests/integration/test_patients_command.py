"""`arcuate patients`, from the command line to the record."""

import json
import os
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from core.database import Database
from core.settings import Settings
from core.values.identity import InstanceIdentity, PatientIdentity
from tests.builders.archive import keep_instance
from tests.fixtures.audit_trail import audited
from tests.fixtures.warm_command import run_command

_WHY = ("--reason", "registered twice")


class Terminal:
    """Calls `arcuate patients` on one node."""

    def __init__(self, settings: Settings) -> None:
        self._environment = {
            **{name: value for name, value in os.environ.items() if "ARCUATE_" not in name},
            "ARCUATE_HOME": str(settings.home),
            "ARCUATE_DATABASE_URL": settings.database_url or "",
        }

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        return run_command(["patients", *words], Path.cwd(), self._environment, 200)

    def json(self, *words: str) -> Any:
        called = self(*words, "--json")
        assert called.returncode == 0, called.stderr
        return json.loads(called.stdout)


@pytest.fixture
def terminal(settings: Settings, database: Database) -> Terminal:
    people = (
        PatientIdentity("P1", "A", "王^小東=王^小東", date(1950, 1, 1), "M"),
        PatientIdentity("P2", "A", "Wang^Xiaodong", date(1950, 1, 1), "M"),
        PatientIdentity("P2", "B", "Other^Person", date(1960, 1, 1), "F"),
    )
    with database.transaction() as session:
        for number, person in enumerate(people):
            source = InstanceIdentity(f"1.2.{number}", f"1.3.{number}", f"1.4.{number}")
            keep_instance(session, person, source)
    return Terminal(settings)


def test_patients_are_merged_shown_and_taken_apart(terminal: Terminal) -> None:
    refused = terminal("merge", "P1", "P2", *_WHY)
    merged = terminal.json("merge", "P1", "P2", "--into-issuer", "A", *_WHY)
    shown = terminal.json("show", "P1")
    found = terminal.json("list", "wang")

    assert (refused.returncode, "Several issuers" in refused.stderr) == (1, True)
    assert (merged["kind"], merged["studies"]) == ("patients_merged", 1)
    assert [(one["patient_id"], one["former_ids"]) for one in shown] == [("P2", "P1")]
    assert [one["patient_id"] for one in found] == ["P2"]
    assert terminal.json("list", "王") == []

    terminal.json("undo", str(merged["id"]), "--reason", "two people")

    history = terminal.json("history", "P1")
    assert [(one["kind"], one["undone_by"]) for one in history] == [
        ("undone", None),
        ("patients_merged", 2),
    ]
    assert [one["patient_id"] for one in terminal.json("list", "王")] == ["P1"]
    assert "at the command line" in history[0]["changed_by"]


def test_conflict_is_shown_and_needs_force(terminal: Terminal) -> None:
    words = ("merge", "P1", "P2", "--into-issuer", "B", *_WHY)

    refused = terminal(*words)
    forced = terminal(*words, "--force")

    assert refused.returncode == 1
    assert "differ in sex and birth date" in refused.stderr
    assert "1950" not in refused.stderr
    # Both are shown before.
    assert "1950-01-01" in refused.stdout
    assert "1960-01-01" in refused.stdout
    assert "arcuate patients undo 1" in forced.stdout


def test_study_is_moved_to_a_patient_who_may_be_made(
    terminal: Terminal, database: Database
) -> None:
    words = ("move-study", "1.2.0", "--to", "NEW", "--issuer", "A", *_WHY)

    missing = terminal(*words)
    moved = terminal.json(*words, "--create")

    assert (missing.returncode, "no patient" in missing.stderr) == (1, True)
    assert (moved["patient_id"], moved["from_patient_id"]) == ("NEW", "P1")
    assert terminal.json("show", "NEW")[0]["name"] == "王^小東=王^小東"
    entries = [row for row in audited(database) if row.detail.get("identity_change")]
    assert [(row.actor_role, row.patients) for row in entries] == [("terminal", [1, 4])]


def test_reason_is_needed(terminal: Terminal) -> None:
    assert terminal("undo", "1").returncode == 2
    assert terminal("undo", "1", "--reason", " ").returncode == 2
