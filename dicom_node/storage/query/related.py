"""What is counted and gathered from below some patients, studies and series."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Select, func, select

from core.driver_statement import DriverStatement, is_key_of
from dicom_node.storage.query.attribute import INSTANCES, SERIES, STUDIES
from dicom_node.storage.query.level import Level
from dicom_node.storage.query.query import Query
from dicom_node.storage.query.record import Value

_Told = dict[str, tuple[Value, ...]]
_ABOVE_SERIES: Final = SERIES.c.study_key == STUDIES.c.id
_ABOVE_INSTANCES: Final = INSTANCES.c.series_key == SERIES.c.id
_INSTANCES_AND_REMOVED: Final = (func.count(), func.count(INSTANCES.c.bytes_removed_at))


def _by(key: Any, statement: Select[Any]) -> DriverStatement:
    return DriverStatement(lambda dialect: statement.where(is_key_of(key, "keys", dialect)))


_STUDIES_OF_PATIENT: Final = _by(
    STUDIES.c.patient_key,
    select(STUDIES.c.patient_key, func.count()).group_by(STUDIES.c.patient_key),
)
_SERIES_OF_PATIENT: Final = _by(
    STUDIES.c.patient_key,
    select(STUDIES.c.patient_key, func.count())
    .join_from(STUDIES, SERIES, _ABOVE_SERIES)
    .group_by(STUDIES.c.patient_key),
)
_INSTANCES_OF_PATIENT: Final = _by(
    STUDIES.c.patient_key,
    select(STUDIES.c.patient_key, *_INSTANCES_AND_REMOVED)
    .join_from(STUDIES, SERIES, _ABOVE_SERIES)
    .join(INSTANCES, _ABOVE_INSTANCES)
    .group_by(STUDIES.c.patient_key),
)
_MODALITIES_OF_STUDY: Final = _by(
    SERIES.c.study_key,
    select(SERIES.c.study_key, SERIES.c.modality, func.count()).group_by(
        SERIES.c.study_key, SERIES.c.modality
    ),
)
_INSTANCES_OF_STUDY: Final = _by(
    SERIES.c.study_key,
    select(SERIES.c.study_key, *_INSTANCES_AND_REMOVED)
    .join_from(SERIES, INSTANCES, _ABOVE_INSTANCES)
    .group_by(SERIES.c.study_key),
)
_CLASSES_OF_STUDY: Final = _by(
    SERIES.c.study_key,
    select(SERIES.c.study_key, INSTANCES.c.sop_class_uid)
    .join_from(SERIES, INSTANCES, _ABOVE_INSTANCES)
    .distinct(),
)
_INSTANCES_OF_SERIES: Final = _by(
    INSTANCES.c.series_key,
    select(INSTANCES.c.series_key, *_INSTANCES_AND_REMOVED).group_by(INSTANCES.c.series_key),
)


@dataclass
class Related:
    """What was found, by level and key."""

    found: dict[tuple[Level, int], _Told] = field(default_factory=lambda: defaultdict(dict))
    removed: set[tuple[Level, int]] = field(default_factory=set)

    def told(self, level: Level, key: int) -> Mapping[str, tuple[Value, ...]]:
        """Return the attributes of one patient, study or series."""
        return self.found.get((level, key), {})

    def is_online(self, level: Level, key: int) -> bool:
        """Whether retention removed nothing of it."""
        return (level, key) not in self.removed

    def count(self, level: Level, keyword: str, rows: Sequence[Sequence[Any]]) -> None:
        """Take in rows of a key and a number."""
        for key, number, *_ in rows:
            self.found[level, key][keyword] = (number,)

    def count_instances(self, level: Level, keyword: str, rows: Sequence[Sequence[Any]]) -> None:
        """Take in rows of a key, how many instances it has, and how many of them lack bytes."""
        self.count(level, keyword, rows)
        self.removed.update((level, key) for key, _, removed in rows if removed)

    def gather(self, level: Level, keyword: str, rows: Sequence[Sequence[Any]]) -> None:
        """Take in rows of a key and one of its values."""
        for key, value in sorted((key, value) for key, value, *_ in rows):
            if value:
                told = self.found[level, key]
                told[keyword] = (*told.get(keyword, ()), value)


def read_related(
    connection: Connection, query: Query, keys: Mapping[Level, Sequence[int]]
) -> Related:
    """Read what is asked for, and whether all bytes are there of what the query finds."""
    related = Related()
    for level, read in _READERS.items():
        if keys.get(level):
            read(connection, query, keys[level], related)
    return related


def _read_patients(
    connection: Connection, query: Query, keys: Sequence[int], related: Related
) -> None:
    def rows(statement: DriverStatement) -> Sequence[Sequence[Any]]:
        return statement.run(connection, {"keys": list(keys)})

    level = Level.PATIENT
    if "NumberOfPatientRelatedStudies" in query.asked:
        related.count(level, "NumberOfPatientRelatedStudies", rows(_STUDIES_OF_PATIENT))
    if "NumberOfPatientRelatedSeries" in query.asked:
        related.count(level, "NumberOfPatientRelatedSeries", rows(_SERIES_OF_PATIENT))
    if query.level is level or "NumberOfPatientRelatedInstances" in query.asked:
        found = rows(_INSTANCES_OF_PATIENT)
        related.count_instances(level, "NumberOfPatientRelatedInstances", found)


def _read_studies(
    connection: Connection, query: Query, keys: Sequence[int], related: Related
) -> None:
    def rows(statement: DriverStatement) -> Sequence[Sequence[Any]]:
        return statement.run(connection, {"keys": list(keys)})

    level = Level.STUDY
    if query.asked & {"ModalitiesInStudy", "NumberOfStudyRelatedSeries"}:
        modalities = rows(_MODALITIES_OF_STUDY)
        related.gather(level, "ModalitiesInStudy", modalities)
        totals: dict[int, int] = defaultdict(int)
        for key, _, number in modalities:
            totals[key] += number
        related.count(level, "NumberOfStudyRelatedSeries", [*totals.items()])
    if query.level is level or "NumberOfStudyRelatedInstances" in query.asked:
        found = rows(_INSTANCES_OF_STUDY)
        related.count_instances(level, "NumberOfStudyRelatedInstances", found)
    if "SOPClassesInStudy" in query.asked:
        related.gather(level, "SOPClassesInStudy", rows(_CLASSES_OF_STUDY))


def _read_series(
    connection: Connection, query: Query, keys: Sequence[int], related: Related
) -> None:
    if query.level is Level.SERIES or "NumberOfSeriesRelatedInstances" in query.asked:
        found = _INSTANCES_OF_SERIES.run(connection, {"keys": list(keys)})
        related.count_instances(Level.SERIES, "NumberOfSeriesRelatedInstances", found)


_Reader = Callable[[Connection, Query, Sequence[int], Related], None]
_READERS: Final[Mapping[Level, _Reader]] = {
    Level.PATIENT: _read_patients,
    Level.STUDY: _read_studies,
    Level.SERIES: _read_series,
}
