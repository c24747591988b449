"""Statements of the hot path: compiled once, then run by the database's own driver.

SQLAlchemy prepares each execution anew, which costs many times what the driver needs to run so
small a statement, and every store that is received passes here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Connection,
    Dialect,
    String,
    any_,
    bindparam,
    func,
    select,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement, ColumnElement

#: A row as the driver returns it: plain numbers and texts, times in the driver's own form.
Row = tuple[Any, ...]
_Process = Callable[[Any], Any]


class _Driver(Protocol):
    """How one driver is fed."""

    def run(self, connection: Any, sql: str, values: Any) -> list[Row]:
        """Return the rows of one execution."""

    def run_each(self, connection: Any, sql: str, many: Sequence[Any]) -> list[Row]:
        """Return the first row of each execution; none where the statement returns none."""


class _SQLite:
    """A statement costs microseconds: one after the other."""

    def run(self, connection: Any, sql: str, values: Any) -> list[Row]:
        return list(connection.execute(sql, values))

    def run_each(self, connection: Any, sql: str, many: Sequence[Any]) -> list[Row]:
        return [row for values in many for row in connection.execute(sql, values)]


class _PostgreSQL:
    """A statement costs a way there and back: many are sent together."""

    def run(self, connection: Any, sql: str, values: Any) -> list[Row]:
        cursor = connection.execute(sql, values)
        return list(cursor) if cursor.description else []

    def run_each(self, connection: Any, sql: str, many: Sequence[Any]) -> list[Row]:
        if len(many) == 1:
            return self.run(connection, sql, many[0])
        with connection.cursor() as cursor:
            cursor.executemany(sql, many, returning=True)
            return [row for _ in cursor.results() if cursor.description for row in cursor]


_DRIVERS: Final[Mapping[str, _Driver]] = {"sqlite": _SQLite(), "postgresql": _PostgreSQL()}


@dataclass(frozen=True)
class _Compiled:
    """A statement in the words of one kind of database."""

    sql: str
    #: Names in the order of the placeholders; None where the driver takes them by name.
    order: Sequence[str] | None
    processes: Mapping[str, _Process]

    def bind(self, values: Mapping[str, Any]) -> Any:
        """Return the values as the driver takes them."""
        bound = dict(values)
        for name, process in self.processes.items():
            bound[name] = process(bound[name])
        return bound if self.order is None else [bound[name] for name in self.order]


class DriverStatement:
    """A statement for either kind of database.

    Parameters
    ----------
    make
        Returns it for a dialect's name; every value in it is a named `bindparam`.
    """

    def __init__(self, make: Callable[[str], ClauseElement]) -> None:
        self._make = make
        self._compiled: dict[str, _Compiled] = {}

    def run(self, connection: Connection, values: Mapping[str, Any]) -> list[Row]:
        """Run it once in the connection's transaction; return its rows.

        Raises
        ------
        sqlalchemy.exc.DBAPIError
            Whatever the database refuses, as SQLAlchemy names it.
        """
        driver, compiled = self._prepare(connection.dialect)
        with_driver = connection.connection.dbapi_connection
        try:
            return driver.run(with_driver, compiled.sql, compiled.bind(values))
        except _errors_of(connection.dialect) as error:
            raise _named(error, compiled.sql, connection.dialect) from error

    def run_each(self, connection: Connection, many: Sequence[Mapping[str, Any]]) -> list[Row]:
        """Run it for each of the values; return the row each returned, in order.

        Raises
        ------
        sqlalchemy.exc.DBAPIError
            As `run`.
        """
        driver, compiled = self._prepare(connection.dialect)
        with_driver = connection.connection.dbapi_connection
        try:
            return driver.run_each(with_driver, compiled.sql, [compiled.bind(one) for one in many])
        except _errors_of(connection.dialect) as error:
            raise _named(error, compiled.sql, connection.dialect) from error

    def _prepare(self, dialect: Dialect) -> tuple[_Driver, _Compiled]:
        name = dialect.name
        if name not in self._compiled:
            self._compiled[name] = _compile(self._make(name), dialect)
        return _DRIVERS[name], self._compiled[name]


def is_one_of(column: ColumnElement[str], parameter: str, dialect: str) -> ColumnElement[bool]:
    """Return the condition that a text is one of a list given as that parameter."""
    if dialect == "postgresql":
        return column == any_(bindparam(parameter, type_=ARRAY(String)))
    texts = func.json_each(bindparam(parameter, type_=JSON)).table_valued("value")
    return column.in_(select(texts.c.value))


def is_key_of(column: ColumnElement[int], parameter: str, dialect: str) -> ColumnElement[bool]:
    """Return the condition that a number is one of a list given as that parameter."""
    if dialect == "postgresql":
        return column == any_(bindparam(parameter, type_=ARRAY(BigInteger)))
    numbers = func.json_each(bindparam(parameter, type_=JSON)).table_valued("value")
    return column.in_(select(numbers.c.value))


def is_among(
    column: ColumnElement[str], values: Sequence[str], dialect: str
) -> ColumnElement[bool]:
    """Return the condition that a text is one of these, however many: they are one parameter."""
    if dialect == "postgresql":
        return column == any_(bindparam(None, list(values), type_=ARRAY(String)))
    texts = func.json_each(bindparam(None, list(values), type_=JSON)).table_valued("value")
    return column.in_(select(texts.c.value))


def _compile(statement: ClauseElement, dialect: Dialect) -> _Compiled:
    compiled = statement.compile(dialect=dialect)
    if not isinstance(compiled, SQLCompiler):
        raise TypeError("only statements that read or write rows are run here")
    processes = {
        name: process
        for name, parameter in compiled.binds.items()
        if (process := parameter.type.dialect_impl(dialect).bind_processor(dialect)) is not None
    }
    return _Compiled(str(compiled), compiled.positiontup, processes)


def _errors_of(dialect: Dialect) -> type[Exception]:
    module = dialect.loaded_dbapi
    return module.Error


def _named(error: Exception, sql: str, dialect: Dialect) -> BaseException:
    """Return the error as SQLAlchemy would raise it, without the values: they name patients."""
    return DBAPIError.instance(
        sql, None, error, _errors_of(dialect), hide_parameters=True, dialect=dialect
    )
