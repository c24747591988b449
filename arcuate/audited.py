"""What is done at the terminal, and by the processes of a node, in the words of the audit trail."""

import getpass
import os
import socket
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from core.audit.recording import append_audit
from core.audit.trail import Trail, current_trail
from core.database import Database
from core.errors import InfrastructureError
from core.logs import get_logger
from core.values.audit import Actor, AuditAction, AuditEvent

#: Commands that run the node, or change nothing of it: what their processes do is recorded there.
_UNFOLLOWED: Final = frozenset(
    {
        "up",
        "receive",
        "infer",
        "deliver",
        "serve",
        "watch",
        "demo",
        "doctor",
        "bench",
        "migrate",
        # They write their own entries.
        "import",
        "retrieve",
        "export",
        "backup",
        "restore",
        "audit",
    }
)
#: Words of a command line that name what it is about, and no patient.
_NAMING: Final = ("name", "ae_title", "destination", "job_id", "delivery_id", "peer", "model")
_NOT_GIVEN: Final[tuple[object, ...]] = (None, False, "", [], ())

_log = get_logger(__name__)


def record_role(database: Database, role: str, action: AuditAction) -> None:
    """Record that a process of the node starts or stops.

    Raises
    ------
    DatabaseAway
        If a start cannot be recorded. A process stops whether or not that can be.
    """
    host = socket.gethostname()
    event = AuditEvent(
        Actor("arcuate", role), action, "process", role, detail={"host": host, "pid": os.getpid()}
    )
    try:
        with database.transaction() as session:
            append_audit(session, event)
    except InfrastructureError as error:
        if action is AuditAction.START:
            raise
        _log.warning("audit_not_written", action=action, error=str(error))


def record_act(
    database: Database, action: AuditAction, kind: str, patients: Sequence[int] = ()
) -> None:
    """Record what a command does with the node as a whole, or with what is of many patients.

    Raises
    ------
    DatabaseAway
        If that cannot be recorded.
    """
    detail = {"host": socket.gethostname()}
    event = AuditEvent(terminal_actor(), action, kind, "", patients, detail=detail)
    with database.transaction() as session:
        append_audit(session, event)


def terminal_trail(command: str | None) -> Trail | None:
    """Return what gathers a command's entry, None for one that runs the node."""
    if command is None or command in _UNFOLLOWED:
        return None
    described = partial(_command_event, (command,), {})
    return Trail(described, terminal_actor(), is_change=True)


def terminal_actor() -> Actor:
    """Return the account of this machine that runs the command."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        # An account without a name, as in a container.
        name = f"uid {os.getuid()}"
    return Actor(name, "terminal")


def describe_command(words: Sequence[str], values: Mapping[str, object]) -> None:
    """Let the entry of this call say which command it is.

    Parameters
    ----------
    words
        Those that name it: `peers`, `add`.
    values
        Its parameters: which were given is recorded, and of their values the names of peers,
        destinations and the like; never what may name a patient.
    """
    trail = current_trail()
    if trail is not None:
        trail.describe = partial(_command_event, tuple(words), dict(values))


def _command_event(words: Sequence[str], values: Mapping[str, object]) -> AuditEvent:
    named = next((str(values[name]) for name in _NAMING if values.get(name)), "")
    # Which patient it was say the rows it loaded.
    has_kind = bool(named) or words[0] == "patients"
    given = sorted(name for name, value in values.items() if value not in _NOT_GIVEN)
    return AuditEvent(
        terminal_actor(),
        AuditAction.CHANGE,
        words[0].removesuffix("s") if has_kind else "",
        named,
        detail={"command": " ".join(words), "given": given},
    )
