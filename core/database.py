"""The engine of the record: SQLite or PostgreSQL by URL, with the durability we promise.

Knows nothing of tables; `core.tables` holds those and `core.migrations` creates them.
"""

import importlib
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import Session, create_engine

from core.errors import InfrastructureError
from core.postgres_engine import LOCK_SECONDS, PostgresLimits, open_postgresql
from core.sqlite_file import guard_sqlite_file
from core.turn import Turn

#: SQLite versions up to this one can lose a commit when the WAL is reset: https://sqlite.org/wal.html
LAST_SQLITE_WITH_WAL_RESET_DEFECT: Final = (3, 51, 2)
#: SQLSTATE classes (PostgreSQL, appendix A): data exception and program limit exceeded, which the
#: driver counts among operational errors; and transaction rollback, as after a deadlock.
_FAULTS_OF_THE_STATEMENT: Final = ("22", "54")
_CONFLICTS: Final = "40"
#: The same for a statement that `statement_timeout` ended.
_CANCELED: Final = "57014"
#: The same for a server that only reads: another has taken over from it, or is about to.
_ONLY_READS: Final = "25006"
_WRITES: Final = {"arcuate_writes": True}
#: What the request or command at hand adds to each of its transactions, last: its audit entry.
BEFORE_COMMIT: Final[ContextVar[Callable[[Session], None] | None]] = ContextVar(
    "before_commit", default=None
)


# Loaded with this module, not at first use: TensorFlow carries a SQLite of its own and shows its
# symbols to every library loaded after it, so a binding loaded later would run on that one.
_SQLITE: Final = importlib.import_module("pysqlite3" if find_spec("pysqlite3") else "sqlite3")


class DatabaseAway(InfrastructureError):
    """The database does not answer."""


class TransactionConflict(InfrastructureError):
    """Two transactions waited for each other, and the database ended this one."""


class StatementTooLong(InfrastructureError):
    """The database took too long for one statement: ask for less, or try again later."""


class Database:
    """One process's way to the record.

    Parameters
    ----------
    url
        `sqlite:///PATH` or `postgresql+psycopg://…`.
    limits
        What this process may take of a PostgreSQL; a SQLite file is nobody else's.
    """

    def __init__(self, url: str, limits: PostgresLimits | None = None) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        open_engine = (
            _open_sqlite
            if self.is_sqlite
            else partial(open_postgresql, limits=limits or PostgresLimits())
        )
        self.engine = open_engine(url)
        steady = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        self._steady = self.engine.execution_options(**steady)
        self._writer = self.engine.execution_options(**_WRITES)
        self._notes = open_engine(url, is_synced=False)
        self._note_writer = self._notes.execution_options(**_WRITES)
        self._turn = _turn_beside(self.url) if self.is_sqlite else nullcontext()

    @contextmanager
    def transaction(self) -> Generator[Session]:
        """Open a transaction that may write; it commits when the block ends without an error.

        What `BEFORE_COMMIT` holds is done before; where that fails, nothing is committed.

        Raises
        ------
        DatabaseAway
            If the database cannot be reached, is locked for too long or drops the connection.
        """
        with (
            _named_faults(),
            Session(self._writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session
            before_commit = BEFORE_COMMIT.get()
            if before_commit is not None:
                before_commit(session)

    @contextmanager
    def writing(self) -> Generator[Connection]:
        """Open a transaction as `transaction` does, without the session that it costs to make.

        For what is written again and again: on SQLite processes that write so take turns. Its own
        lock is had by whoever happens to look at the right moment, which can be the same one for a
        second.

        Raises
        ------
        DatabaseAway
            As `transaction`.
        """
        with _named_faults(), self._turn, self._writer.begin() as connection:
            yield connection

    @contextmanager
    def noting(self) -> Generator[Connection]:
        """Open a transaction whose commit does not wait for the disk.

        What it writes outlives any process of ours at once, and a power cut as soon as the next
        synced commit of anyone has reached the disk: enough for a note that something was read.

        Raises
        ------
        DatabaseAway
            As `transaction`.
        """
        with _named_faults(), self._note_writer.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Generator[Session]:
        """Open a session that writes nothing.

        On SQLite it sees one state; on PostgreSQL each statement sees what was committed before it.
        """
        with _named_faults(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def reading_one_state(self) -> Generator[Session]:
        """Open a session as `reading` does, whose statements all see the same, on PostgreSQL too.

        For what compares one with another. It keeps PostgreSQL from tidying up meanwhile.
        """
        with _named_faults(), Session(self._steady, expire_on_commit=False) as session:
            yield session

    def close(self) -> None:
        """Close every connection of this process."""
        self.engine.dispose()
        self._notes.dispose()


def _turn_beside(url: URL) -> Turn:
    return Turn(Path(f"{url.database}-turn"))


def sqlite_module() -> ModuleType:
    """Return the SQLite binding with the newest library: the bundled one where it is installed."""
    return _SQLITE


def sqlite_journal_mode() -> str:
    """Return WAL, or DELETE where this SQLite library could lose a commit under WAL."""
    defective = sqlite_module().sqlite_version_info <= LAST_SQLITE_WITH_WAL_RESET_DEFECT
    return "DELETE" if defective else "WAL"


@contextmanager
def _named_faults() -> Generator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        state = str(getattr(error.orig, "sqlstate", None) or "")
        if state.startswith(_FAULTS_OF_THE_STATEMENT):
            raise
        if state.startswith(_CONFLICTS):
            raise TransactionConflict from error
        if state == _CANCELED:
            raise StatementTooLong from error
        raise DatabaseAway(f"The database does not answer: {type(error.orig).__name__}") from error
    except PoolTimeoutError as error:
        raise DatabaseAway("All connections to the database are in use") from error
    except DBAPIError as error:
        reason = _why_away(error)
        if reason is None:
            raise
        raise DatabaseAway(reason) from error


def _why_away(error: DBAPIError) -> str | None:
    """Return why an error that says nothing of it means that the database is away, else None."""
    if error.connection_invalidated:
        return "The database closed the connection"
    if getattr(error.orig, "sqlstate", None) == _ONLY_READS:
        return "The database only reads"
    return None


def _open_sqlite(url: str, *, is_synced: bool = True) -> Engine:
    path = Path(make_url(url).database or "")
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url, module=sqlite_module(), hide_parameters=True, connect_args={"timeout": LOCK_SECONDS}
    )
    guard_sqlite_file(engine, path)
    event.listen(engine, "connect", partial(_configure_sqlite, is_synced))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(is_synced: bool, connection: Any, _entry: ConnectionPoolEntry) -> None:
    # Autocommit: the binding's own BEGIN is deferred, ours says whether it writes.
    connection.isolation_level = None
    mode = sqlite_journal_mode()
    # NORMAL skips the sync at commit, and a power cut could then take back a Success. Without a
    # WAL it could do worse.
    synchronous = ("FULL" if is_synced else "NORMAL") if mode == "WAL" else "EXTRA"
    for pragma in (f"journal_mode={mode}", f"synchronous={synchronous}", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that turns into a writer can fail at once with "database is locked".
    writes = connection.get_execution_options().get("arcuate_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


#: The database's own clock in seconds since 1970, by dialect: the clocks of hosts differ.
DATABASE_SECONDS: Final = {
    "sqlite": "((julianday('now') - 2440587.5) * 86400.0)",
    "postgresql": "extract(epoch FROM clock_timestamp())::float8",
}
_ASK_SECONDS: Final = {name: text(f"SELECT {sql}") for name, sql in DATABASE_SECONDS.items()}


def database_seconds(session: Session) -> float:
    """Return what the database's own clock says, seconds since 1970."""
    connection = session.connection()
    return float(connection.execute(_ASK_SECONDS[connection.dialect.name]).scalar_one())
