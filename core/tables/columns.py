"""Column types that mean the same on SQLite and on PostgreSQL."""

from datetime import UTC, datetime
from typing import Any, Final, Protocol

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Index, Integer, Table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator
from sqlmodel import SQLModel

#: A JSON value; indexed and compact on PostgreSQL.
JsonValue = JSON().with_variant(JSONB(), "postgresql")

#: A number of bytes: 64 bits, which an INTEGER of SQLite has anyway.
ByteCount = BigInteger().with_variant(Integer(), "sqlite")

#: What a text column that a migration adds holds in the rows that are there.
EMPTY: Final = {"server_default": ""}


def pattern_index(table: str, column: str) -> Index:
    """Return an index of texts that are also looked for by their beginning.

    SQLite compares texts byte by byte anyway; PostgreSQL needs to be told, else the order of the
    index is that of a language.
    """
    operators = {column: "text_pattern_ops"}
    return Index(f"ix_{table}_{column}_pattern", column, postgresql_ops=operators)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC. SQLite forgets the zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse a time without a zone, and store the others in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment with its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def table_of(row: type[SQLModel]) -> Table:
    """Return the table of a row class, for statements that need no mapped rows."""
    table: Table = row.metadata.tables[str(row.__tablename__)]
    return table


class Keyed(Protocol):
    """A row whose key the database gives."""

    id: int | None


def key_of(row: Keyed) -> int:
    """Return the key of a row that has been written or read."""
    if row.id is None:
        raise ValueError("the row has not been written yet")
    return row.id
