"""`arcuate audit`, and the entries that other commands leave."""

import getpass
import json
from pathlib import Path

import pytest
from sqlmodel import select

from arcuate.node import open_node
from core.settings import Settings
from core.tables.audit_entries import AuditCollectorRow
from tests.fixtures.audit_trail import audited, told
from tests.integration.test_cli import Terminal


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    made = Terminal(tmp_path, tmp_path / "home")
    assert made("migrate").code == 0
    return made


def database_of(terminal: Terminal):  # type: ignore[no-untyped-def]
    return open_node(Settings(home=terminal.home)).database


def test_commands_that_change_something_say_who_and_what(terminal: Terminal) -> None:
    assert terminal("peers", "add", "OCT1", "--host", "10.0.0.7").code == 0
    assert terminal("keys", "create", "clinic", "--role", "viewer").code == 0
    assert terminal("peers", "list").code == 0
    assert terminal("keys", "revoke", "nobody").code == 1

    rows = audited(database_of(terminal))

    who = getpass.getuser()
    assert [told(row) for row in rows] == [
        (who, "change", "peer", "OCT1", [], "success"),
        (who, "change", "key", "clinic", [], "success"),
    ]
    assert rows[0].detail == {"command": "peers add", "given": ["ae_title", "host"]}
    assert rows[0].actor_role == "terminal"


def test_reading_the_trail_is_recorded_and_it_is_whole(terminal: Terminal) -> None:
    terminal("keys", "create", "clinic")

    listed = terminal("audit", "list", "--json")
    verified = terminal("audit", "verify", "--json")

    assert [row["action"] for row in listed.json] == ["audit", "change"]
    assert verified.code == 0
    assert (verified.json["entries"], verified.json["fault"]) == (3, None)
    text = terminal("audit", "verify", "--anchor", f"3:{verified.json['digest']}")
    assert text.code == 0
    assert "Whole: 4 entries, 1 to 4, no key." in text.out


def test_broken_chain_is_named_with_exit_code_1(terminal: Terminal) -> None:
    terminal("keys", "create", "clinic")
    terminal("audit", "list")
    database = database_of(terminal)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_entries_update")
        connection.exec_driver_sql("UPDATE audit_entries SET actor = 'nobody' WHERE number = 1")

    verified = terminal("audit", "verify")

    assert verified.code == 1
    assert verified.out == "Broken at entry 1: it is not as it was recorded\n"


def test_export_holds_every_entry_with_its_digests(terminal: Terminal) -> None:
    terminal("keys", "create", "＝clinic")

    lines = terminal("audit", "export").out.splitlines()
    table = terminal.folder / "trail.csv"
    written = terminal("audit", "export", "--out", table)

    rows = [json.loads(line) for line in lines]
    assert [row["number"] for row in rows] == [1, 2]
    assert rows[1]["previous"] == rows[0]["digest"]
    assert written.out == f"3 entries in {table}\n"
    # No spreadsheet may take a name for a formula, in full-width letters either.
    assert ",'＝clinic," in table.read_text("utf-8")
    assert terminal("audit", "export", "--out", "trail.xlsx").code == 2


def test_purge_removes_old_entries_and_leaves_a_whole_chain(terminal: Terminal) -> None:
    terminal("keys", "create", "clinic")

    nothing = terminal("audit", "purge", "--before", "2020-01-01", "--yes")
    purged = terminal("audit", "purge", "--before", "2100-01-01", "--yes")
    verified = terminal("audit", "verify", "--json")

    assert nothing.out == "There are none.\n"
    assert purged.out == "Removed 3 entries, 1 to 3; entry 4 says so.\n"
    assert (verified.code, verified.json["first"], verified.json["last"]) == (0, 4, 5)


def test_purge_keeps_what_the_collector_was_not_sent(terminal: Terminal) -> None:
    terminal("keys", "create", "clinic")
    terminal("audit", "list")
    with database_of(terminal).transaction() as session:
        session.exec(select(AuditCollectorRow)).one().position = 1
    purge = ("audit", "purge", "--before", "2100-01-01", "--yes")

    refused = terminal(*purge, audit_syslog="tls://collector.example:6514")
    forced = terminal(*purge, "--even-untold", audit_syslog="tls://collector.example:6514")

    assert refused.code == 1
    assert "--even-untold" in refused.err
    assert forced.code == 0


def test_key_is_used_and_asked_for(terminal: Terminal) -> None:
    key = terminal.folder / "audit.key"
    key.write_text("0123456789abcdef0123456789abcdef")

    keyed = terminal("audit", "verify", audit_key_file=key)
    without = terminal("audit", "verify")
    missing = terminal("audit", "verify", audit_key_file=terminal.folder / "nothing")

    assert "with a key from 1 on" in keyed.out
    assert without.code == 1
    assert "audit_key_file" in without.out
    assert missing.code == 2
    assert "cannot be read" in missing.err
