"""Carrying out a query: the keys of all matches first, then page by page what is told of them.

Keys are eight bytes each, so any number of matches costs little memory; each page is a transaction
of its own, so a reader who takes long holds nothing in the database.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from core.database import Database
from dicom_node.storage.query.page import patients_of, read_page
from dicom_node.storage.query.query import Query
from dicom_node.storage.query.record import Record
from dicom_node.storage.query.selection import select_keys

#: Matches read at a time.
PAGE: Final = 250
#: Keys taken from the driver at a time, and handed to it: as parameters they are hundreds of bytes.
_KEYS_AT_ONCE: Final = 10_000
_KEYS_ASKED_AT_ONCE: Final = 2_000


@dataclass(frozen=True)
class Found:
    """What a query found.

    Attributes
    ----------
    keys
        Of the matches, in order.
    is_cut
        Whether there are more than the query's maximum.
    patients
        Keys of the patients the matches belong to.
    """

    database: Database
    query: Query
    keys: "array[int]"
    is_cut: bool
    patients: Sequence[int]

    def pages(self) -> Iterator[list[Record]]:
        """Read what is told of the matches; one that vanished meanwhile is left out."""
        for start in range(0, len(self.keys), PAGE):
            with self.database.reading() as session:
                page = self.keys[start : start + PAGE]
                records = read_page(session.connection(), self.query, page)
            yield records

    def records(self) -> Iterator[Record]:
        """Read the matches one after the other."""
        for page in self.pages():
            yield from page


def find(database: Database, query: Query) -> Found:
    """Find what matches.

    Raises
    ------
    DatabaseAway
        If the database does not answer.
    """
    keys = array("q")
    with database.reading() as session:
        connection = session.connection()
        statement = select_keys(query, connection.dialect.name)
        for some in connection.scalars(statement).partitions(_KEYS_AT_ONCE):
            keys.extend(some)
        told = keys[: query.maximum]
        patients = _patients(connection, query, told)
    return Found(database, query, told, len(keys) > query.maximum, patients)


def _patients(connection: Connection, query: Query, keys: "array[int]") -> list[int]:
    found: dict[int, None] = {}
    for start in range(0, len(keys), _KEYS_ASKED_AT_ONCE):
        some = keys[start : start + _KEYS_ASKED_AT_ONCE]
        found.update(dict.fromkeys(patients_of(connection, query, some)))
    return list(found)
