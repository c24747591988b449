"""The population in the SQLite index of an Orthanc, written as Orthanc writes it.

One object is stored for real first; every other row is a copy of its rows with other values: to
store a million objects would take an hour and leave a million files, and queries read neither.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path
from typing import Any, Final

from arcuate.bench.query.population import Patient, Population, Series, Study

#: Orthanc's resource types, from the patient down.
_PATIENT, _STUDY, _SERIES, _INSTANCE = 1, 2, 3, 4
_COPIED: Final = ("Metadata", "AttachedFiles")
_TAGS: Final = ("MainDicomTags", "DicomIdentifiers")
_BATCH: Final = 20_000
#: Values by (group, element).
_Values = Mapping[tuple[int, int], str]


@dataclass(frozen=True)
class _Resource:
    """A row of Orthanc's table of resources, and the values of its attributes."""

    key: int
    kind: int
    public_id: str
    parent: int | None
    values: _Values


def fill_index(index: Path, population: Population, tell: Callable[[str], None]) -> None:
    """Write the population into the index of an Orthanc that holds one object and does not run."""
    with sqlite3.connect(index) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        writing = _Writing(connection)
        for number in range(population.studies):
            if number % 10_000 == 0:
                tell(f"writing Orthanc's index: {number} of {population.studies} studies")
            for resource in writing.resources_of(Study(number)):
                writing.add(resource)
        writing.flush()
        connection.execute("ANALYZE")
    connection.close()


class _Writing:
    """Copies of the one object's rows."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._templates = {
            (table, kind): _template(connection, table, kind)
            for table in (*_TAGS, *_COPIED)
            for kind in (_PATIENT, _STUDY, _SERIES, _INSTANCE)
        }
        [(last,)] = connection.execute("SELECT max(internalId) FROM Resources")
        self._next = int(last) + 1
        self._patient: tuple[int, int] = (-1, 0)
        self._rows: dict[str, list[tuple[Any, ...]]] = {
            name: [] for name in ("Resources", *_TAGS, *_COPIED)
        }

    def resources_of(self, study: Study) -> Iterator[_Resource]:
        """Return a study with what is above and below it; its patient with the first one only."""
        patient = study.patient
        if self._patient[0] != patient.number:
            values = _patient_values(patient)
            above = self._resource(_PATIENT, None, values, patient.patient_id)
            self._patient = (patient.number, above.key)
            yield above
        path = (patient.patient_id, study.uid)
        values = {**_patient_values(patient), **_study_values(study)}
        middle = self._resource(_STUDY, self._patient[1], values, *path)
        yield middle
        for series in study.series():
            below = self._resource(_SERIES, middle.key, _series_values(series), *path, series.uid)
            yield below
            for place, uid in enumerate(series.instance_uids()):
                values = {(0x0008, 0x0018): uid, (0x0020, 0x0013): str(place + 1)}
                yield self._resource(_INSTANCE, below.key, values, *path, series.uid, uid)

    def add(self, resource: _Resource) -> None:
        """Write a resource, sooner or later."""
        row = (resource.key, resource.kind, resource.public_id, resource.parent)
        self._rows["Resources"].append(row)
        for table in _TAGS:
            is_identifier = table == "DicomIdentifiers"
            for _, group, element, copied in self._templates[table, resource.kind]:
                value = resource.values.get((group, element), copied)
                # As Orthanc makes identifiers of values: upper case, ASCII.
                told = value.upper().encode("ascii", "ignore").decode() if is_identifier else value
                self._rows[table].append((resource.key, group, element, told))
        for table in _COPIED:
            for _, *rest in self._templates[table, resource.kind]:
                self._rows[table].append((resource.key, *rest))
        if len(self._rows["Resources"]) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what is gathered."""
        for table, rows in self._rows.items():
            if rows:
                places = ", ".join("?" * len(rows[0]))
                self._connection.executemany(f"INSERT INTO {table} VALUES ({places})", rows)  # noqa: S608
                rows.clear()
        self._connection.commit()

    def _resource(self, kind: int, parent: int | None, values: _Values, *path: str) -> _Resource:
        key, self._next = self._next, self._next + 1
        return _Resource(key, kind, _public_id(*path), parent, values)


def _template(connection: sqlite3.Connection, table: str, kind: int) -> list[tuple[Any, ...]]:
    statement = (
        f"SELECT t.* FROM {table} t JOIN Resources ON id = internalId WHERE resourceType = ?"  # noqa: S608
    )
    return list(connection.execute(statement, (kind,)))


def _public_id(*path: str) -> str:
    digest = sha1("|".join(path).encode(), usedforsecurity=False).hexdigest()
    return "-".join(digest[start : start + 8] for start in range(0, len(digest), 8))


def _patient_values(patient: Patient) -> _Values:
    return {
        (0x0010, 0x0010): patient.name,
        (0x0010, 0x0020): patient.patient_id,
        (0x0010, 0x0030): f"{patient.birth_date:%Y%m%d}",
    }


def _study_values(study: Study) -> _Values:
    return {
        (0x0008, 0x0020): f"{study.day:%Y%m%d}",
        (0x0008, 0x0050): study.accession_number,
        (0x0008, 0x1030): study.description,
        (0x0020, 0x000D): study.uid,
        (0x0020, 0x0010): f"S{study.number}",
    }


def _series_values(series: Series) -> _Values:
    return {
        (0x0008, 0x0060): series.modality,
        (0x0008, 0x103E): f"Series {series.place + 1}",
        (0x0020, 0x000E): series.uid,
        (0x0020, 0x0011): str(series.place + 1),
    }
