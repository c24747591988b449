"""The database a receiver keeps its index in, made for one run and dropped after it."""

import secrets
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from arcuate.bench.ingest.choices import DatabaseKind
from arcuate.bench.ingest.server_process import ServerFailed
from arcuate.errors import WrongUse


@dataclass(frozen=True)
class BenchDatabase:
    """Where indices are kept: SQLite files of the receivers, or a PostgreSQL server.

    Attributes
    ----------
    server_url
        `postgresql://USER@HOST:PORT/DATABASE` of a server where databases may be made; None for
        SQLite.
    """

    server_url: str | None = None

    @property
    def name(self) -> str:
        """What people call it."""
        return "SQLite" if self.server_url is None else "PostgreSQL"

    @contextmanager
    def made(self) -> Generator[URL | None]:
        """Make an empty database until the block ends; None stands for SQLite.

        Raises
        ------
        ServerFailed
            If the server does not answer.
        """
        if self.server_url is None:
            yield None
            return
        server = make_url(self.server_url).set(drivername="postgresql")
        name = f"arcuate_bench_{secrets.token_hex(6)}"
        with _connected(server) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield server.set(database=name)
        finally:
            with _connected(server) as connection:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def database_of(kind: DatabaseKind, server_url: str) -> BenchDatabase:
    """Return the database that was chosen.

    Raises
    ------
    WrongUse
        If the server's URL is none of PostgreSQL.
    """
    if kind is DatabaseKind.SQLITE:
        return BenchDatabase()
    try:
        is_postgresql = make_url(server_url).get_backend_name() == "postgresql"
    except ArgumentError:
        is_postgresql = False
    if not is_postgresql:
        raise WrongUse("--server-url must be of the form postgresql://USER@HOST:PORT/DATABASE")
    return BenchDatabase(server_url)


@contextmanager
def _connected(server: URL) -> Generator[psycopg.Connection]:
    text = server.render_as_string(hide_password=False)
    try:
        connection = psycopg.connect(text, autocommit=True, connect_timeout=5)
    except psycopg.OperationalError as error:
        raise ServerFailed(f"PostgreSQL at {server!r} does not answer") from error
    with connection:
        yield connection
