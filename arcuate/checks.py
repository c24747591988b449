"""What `arcuate doctor` looks at: each check says what it found and, if wrong, what to do."""

import os
import shutil
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import httpx
from sqlalchemy import func, make_url
from sqlmodel import col, select

from arcuate.destination_checks import check_destinations
from arcuate.device_checks import check_device, check_tensorflow
from arcuate.finding import Finding, Health
from arcuate.monitoring_checks import check_metrics, check_traces
from arcuate.node import database_exists, has_current_schema, open_node
from arcuate.peer_checks import check_echo
from arcuate.retention_checks import check_retention
from arcuate.sender_checks import check_senders
from arcuate.storage_checks import check_storage
from arcuate.tls_checks import check_tls
from arcuate.watch_checks import check_watch
from arcuate.webhook_checks import check_webhooks
from core.database import (
    Database,
    DatabaseAway,
    database_seconds,
    sqlite_journal_mode,
    sqlite_module,
)
from core.errors import NodeError
from core.queue import count_left_lying
from core.settings import Settings
from core.tables.jobs import JobRow, JobStatus
from dicom_node.peers import list_peers, list_refused_callers
from inference.loading import open_model_store, scoring_cards

#: Leases allow for this much between the clocks of a worker's host and the database's, in seconds.
CLOCK_SLACK_SECONDS: Final = 5.0
#: How long a port of this installation may take to answer.
_PATIENCE_SECONDS: Final = 1.0


def run_checks(settings: Settings) -> list[Finding]:
    """Run every check; one that breaks is a finding too."""
    return [run_check(name, settings) for name in _CHECKS]


def run_check(name: str, settings: Settings) -> Finding:
    """Run one check."""
    try:
        return _CHECKS[name](settings)
    except (NodeError, OSError) as error:
        return Finding(name, Health.WRONG, str(error), "Mend what the message names, then again.")


def _check_home(settings: Settings) -> Finding:
    home = settings.home.resolve()
    if home.is_dir():
        return Finding("home", Health.GOOD, str(home))
    found, remedy = f"{home} is not there yet", "`arcuate up` makes it; ARCUATE_HOME moves it."
    if not _can_be_made(home):
        remedy = "It cannot be made there: name another folder by ARCUATE_HOME."
        return Finding("home", Health.WRONG, found, remedy)
    return Finding("home", Health.NOTE, found, remedy)


def _can_be_made(folder: Path) -> bool:
    above = next(path for path in (folder, *folder.parents) if path.exists())
    # Virtual file systems look writable to root; a mount of them has no room at all.
    room = shutil.disk_usage(above).total if above.is_dir() else 0
    return room > 0 and os.access(above, os.W_OK | os.X_OK)


def _check_database(settings: Settings) -> Finding:
    if not database_exists(settings):
        return Finding("database", Health.NOTE, "no SQLite file yet", "`arcuate up` makes it.")
    database = Database(settings.database)
    try:
        if not has_current_schema(database):
            return Finding("database", Health.WRONG, "another schema", "Run `arcuate migrate`.")
        with database.reading() as session:
            skew = abs(time.time() - database_seconds(session))
    except DatabaseAway as error:
        remedy = "Start the database server, or mend ARCUATE_DATABASE_URL."
        return Finding("database", Health.WRONG, str(error), remedy)
    finally:
        database.close()
    if skew > CLOCK_SLACK_SECONDS:
        found = f"its clock is {skew:.0f} s from this host's"
        return Finding("database", Health.WRONG, found, "Set both clocks by NTP.")
    return Finding("database", Health.GOOD, "answers, schema current, clocks agree")


def _check_sqlite(_settings: Settings) -> Finding:
    mode, version = sqlite_journal_mode(), sqlite_module().sqlite_version
    if mode == "WAL":
        return Finding("sqlite", Health.GOOD, f"{version}, journal {mode}, synchronous FULL")
    found = f"{version} has the WAL-reset defect: journal {mode}, synchronous EXTRA, slower"
    return Finding("sqlite", Health.NOTE, found, "Install pysqlite3, or use PostgreSQL.")


def _check_ports(settings: Settings) -> Finding:
    wanted = {"HTTP": (settings.http_host, settings.http_port)}
    if settings.dicom_plain:
        wanted["DICOM"] = (settings.dicom_host, settings.dicom_port)
    if settings.tls_cert:
        wanted["DICOM TLS"] = (settings.dicom_host, settings.dicom_tls_port)
    wanted = {f"{name} {port}": (host, port) for name, (host, port) in wanted.items()}
    taken = [name for name, (host, port) in wanted.items() if _listens(host, port)]
    if not taken:
        return Finding("ports", Health.GOOD, "free")
    found = f"in use: {', '.join(taken)}"
    if _node_answers(settings):
        return _judge_doors(settings, f"{found}; a node answers there", wanted, taken)
    remedy = "Another program has them: stop it, or set ARCUATE_DICOM_PORT, ARCUATE_HTTP_PORT."
    return Finding("ports", Health.NOTE, found, remedy)


def _judge_doors(
    settings: Settings, found: str, wanted: Mapping[str, tuple[str, int]], taken: Sequence[str]
) -> Finding:
    """Judge a node whose pages answer by whether devices reach it, too."""
    closed = [name for name, (_, port) in wanted.items() if port and name not in taken]
    if not closed:
        return Finding("ports", Health.GOOD, found)
    found = f"{found}; nothing listens on {', '.join(closed)}"
    if make_url(settings.database).get_backend_name() == "sqlite":
        remedy = "`arcuate receive` does not run, and devices are turned away: its log says why."
        return Finding("ports", Health.WRONG, found, remedy)
    # Roles that share a server of databases may be on several hosts.
    remedy = (
        "Does `arcuate receive` run on another host? Else devices are turned away: see its log."
    )
    return Finding("ports", Health.NOTE, found, remedy)


def _listens(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.settimeout(_PATIENCE_SECONDS)
        return port != 0 and probe.connect_ex((host, port)) == 0


def _node_answers(settings: Settings) -> bool:
    host = f"[{settings.http_host}]" if ":" in settings.http_host else settings.http_host
    scheme = "https" if settings.tls_cert else "http"
    address = f"{scheme}://{host}:{settings.http_port}/health/live"
    try:
        # Whoever answers is told nothing; the certificate may be for another name than this host's.
        answer = httpx.get(address, timeout=_PATIENCE_SECONDS, trust_env=False, verify=False)  # noqa: S501
    except (httpx.HTTPError, httpx.InvalidURL):
        return False
    return '"status":"live"' in answer.text


def _check_peers(settings: Settings) -> Finding:
    if not database_exists(settings):
        return Finding("peers", Health.NOTE, "no database yet", "`arcuate up` makes it.")
    node = open_node(settings)
    try:
        with node.database.reading() as session:
            known, refused = len(list_peers(session)), len(list_refused_callers(session))
    finally:
        node.database.close()
    found = f"{known} known, {refused} callers refused"
    if settings.allow_unknown_peers:
        return Finding("peers", Health.NOTE, f"{found}; everyone may send", "For trials only.")
    if not known:
        remedy = "`arcuate peers add AET --host ADDRESS` lets a device in."
        return Finding("peers", Health.NOTE, found, remedy)
    remedy = "`arcuate peers callers` lists the refused." if refused else ""
    return Finding("peers", Health.NOTE if refused else Health.GOOD, found, remedy)


def _check_jobs(settings: Settings) -> Finding:
    if not database_exists(settings):
        return Finding("jobs", Health.NOTE, "no database yet", "`arcuate up` makes it.")
    node = open_node(settings)
    statement = select(JobRow.status, func.count()).group_by(col(JobRow.status))
    try:
        with node.database.reading() as session:
            counts = {row[0]: row[1] for row in session.execute(statement)}
            left = count_left_lying(session)
    finally:
        node.database.close()
    waiting, failed = counts.get(JobStatus.QUEUED, 0), counts.get(JobStatus.FAILED, 0)
    found = f"{waiting} waiting, {failed} failed"
    if failed:
        remedy = "`arcuate jobs list --status failed` says why; `arcuate jobs retry ID`."
        return Finding("jobs", Health.WRONG, found, remedy)
    if left:
        idle = ", ".join(f"{jobs} of `arcuate {role}`" for role, jobs in left.items())
        remedy = "Start what does them; where it runs, its log says why it ends or waits."
        return Finding("jobs", Health.WRONG, f"{found}; nobody works on {idle}", remedy)
    return Finding("jobs", Health.GOOD, found)


def _check_model(settings: Settings) -> Finding:
    cards = scoring_cards(settings)
    # Every other card too: a damaged one would be missed only when it is wanted.
    open_model_store(settings).list()
    scoring = ", ".join(f"{card.name} {card.version} ({kind})" for kind, card in cards.items())
    return Finding("model", Health.GOOD, f"{scoring}, digest as on the card")


_CHECKS: dict[str, Callable[[Settings], Finding]] = {
    "home": _check_home,
    "database": _check_database,
    "sqlite": _check_sqlite,
    "storage": check_storage,
    "ports": _check_ports,
    "tls": check_tls,
    "watch": check_watch,
    "peers": _check_peers,
    "echo": check_echo,
    "senders": check_senders,
    "destinations": check_destinations,
    "webhooks": check_webhooks,
    "metrics": check_metrics,
    "traces": check_traces,
    "jobs": _check_jobs,
    "retention": check_retention,
    "model": _check_model,
    "tensorflow": check_tensorflow,
    "device": check_device,
}
