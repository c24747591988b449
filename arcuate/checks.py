"""What `arcuate doctor` looks at: each check says what it found and, if wrong, what to do."""

import shutil
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import distributions
from pathlib import Path
from typing import Final

from core.database import Database, database_seconds, sqlite_journal_mode, sqlite_module
from core.errors import NodeError
from core.migrations.schema import schema_is_current
from core.settings import Settings
from dicom_node.storage.bytes import Storage
from inference.loading import active_card

#: Leases allow for this much between the clocks of a worker's host and the database's, in seconds.
CLOCK_SLACK_SECONDS: Final = 5.0


class Health(StrEnum):
    """How a check ended."""

    GOOD = "good"
    #: It works, with less than it could have.
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """What one check found; `remedy` says what to do when it is not good."""

    check: str
    health: Health
    found: str
    remedy: str = ""


def run_checks(settings: Settings) -> list[Finding]:
    """Run every check; one that breaks is a finding too."""
    return [_guarded(name, check, settings) for name, check in _CHECKS.items()]


def _guarded(name: str, check: Callable[[Settings], Finding], settings: Settings) -> Finding:
    try:
        return check(settings)
    except (NodeError, OSError) as error:
        return Finding(name, Health.WRONG, str(error), "Mend what the message names, then again.")


def _check_home(settings: Settings) -> Finding:
    home = settings.home.resolve()
    if not home.is_dir():
        return Finding("home", Health.NOTE, f"{home} is not there yet", "`arcuate up` makes it.")
    return Finding("home", Health.GOOD, str(home))


def _check_database(settings: Settings) -> Finding:
    if settings.database.startswith("sqlite") and not _sqlite_file(settings).exists():
        return Finding("database", Health.NOTE, "no SQLite file yet", "`arcuate up` makes it.")
    database = Database(settings.database)
    try:
        if not schema_is_current(database):
            return Finding("database", Health.WRONG, "another schema", "Run `arcuate migrate`.")
        with database.reading() as session:
            skew = abs(time.time() - database_seconds(session))
    finally:
        database.close()
    if skew > CLOCK_SLACK_SECONDS:
        found = f"its clock is {skew:.0f} s from this host's"
        return Finding("database", Health.WRONG, found, "Set both clocks by NTP.")
    return Finding("database", Health.GOOD, "answers, schema current, clocks agree")


def _sqlite_file(settings: Settings) -> Path:
    return Path(settings.database.removeprefix("sqlite:///"))


def _check_sqlite(_settings: Settings) -> Finding:
    mode, version = sqlite_journal_mode(), sqlite_module().sqlite_version
    if mode == "WAL":
        return Finding("sqlite", Health.GOOD, f"{version}, journal {mode}, synchronous FULL")
    found = f"{version} has the WAL-reset defect: journal {mode}, synchronous EXTRA, slower"
    return Finding("sqlite", Health.NOTE, found, "Install pysqlite3, or use PostgreSQL.")


def _check_storage(settings: Settings) -> Finding:
    storage = Storage(settings.storage)
    storage.prepare()
    free = shutil.disk_usage(storage.root).free // 2**20
    if free < settings.minimum_free_mib:
        found = f"{free} MiB free, below minimum_free_mib {settings.minimum_free_mib}"
        return Finding("storage", Health.WRONG, found, "Free space: stores are refused now.")
    return Finding("storage", Health.GOOD, f"writable, {free} MiB free")


def _check_ports(settings: Settings) -> Finding:
    wanted = {"DICOM": (settings.dicom_host, settings.dicom_port)}
    wanted["HTTP"] = (settings.http_host, settings.http_port)
    taken = [f"{name} {port}" for name, (host, port) in wanted.items() if _listens(host, port)]
    if taken:
        found = f"in use: {', '.join(taken)}"
        return Finding("ports", Health.NOTE, found, "Right if this node runs; else change it.")
    return Finding("ports", Health.GOOD, "free")


def _listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return port != 0 and probe.connect_ex((host, port)) == 0


def _check_model(settings: Settings) -> Finding:
    card = active_card(settings)
    return Finding("model", Health.GOOD, f"{card.name} {card.version}, digest as on its card")


def _check_tensorflow(_settings: Settings) -> Finding:
    names = {"tensorflow", "tensorflow-cpu"}
    installed = sorted({d.name for d in distributions() if d.name in names})
    if len(installed) == 1:
        return Finding("tensorflow", Health.GOOD, installed[0])
    found = "both builds are installed" if installed else "not installed"
    remedy = "Make the environment anew from one lock: requirements/run.lock or gpu.lock."
    return Finding("tensorflow", Health.WRONG, found, remedy)


_CHECKS: dict[str, Callable[[Settings], Finding]] = {
    "home": _check_home,
    "database": _check_database,
    "sqlite": _check_sqlite,
    "storage": _check_storage,
    "ports": _check_ports,
    "model": _check_model,
    "tensorflow": _check_tensorflow,
}
