"""Which requests fetch what is wanted and not kept yet."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pydicom import Dataset

from core.database import Database
from dicom_node.retrieve.catalogue import Listed, ListedSeries
from dicom_node.storage.search import find_kept

#: Instances named in one request: their UIDs stay below the 64 kB of a short element.
_NAMED_AT_ONCE: Final = 200


@dataclass(frozen=True)
class FetchRequest:
    """One request to an archive.

    Attributes
    ----------
    instances
        What is expected to come; empty where the archive did not say.
    names_instances
        Whether they are asked for one by one, not as the series.
    """

    series: ListedSeries
    instances: tuple[Listed, ...]
    names_instances: bool

    def identifier(self) -> Dataset:
        """Return the unique keys (PS3.4 C.4.2.2.1, C.4.3.2.1)."""
        dataset = Dataset()
        dataset.QueryRetrieveLevel = "IMAGE" if self.names_instances else "SERIES"
        dataset.StudyInstanceUID = self.series.study_instance_uid
        dataset.SeriesInstanceUID = self.series.series_instance_uid
        if self.names_instances:
            dataset.SOPInstanceUID = [one.sop_instance_uid for one in self.instances]
        return dataset

    @property
    def sop_class_uids(self) -> frozenset[str]:
        """SOP classes of what comes; empty where the archive did not tell one of them."""
        classes = frozenset(one.sop_class_uid for one in self.instances)
        return frozenset() if "" in classes else classes


@dataclass(frozen=True)
class SeriesPlan:
    """What of a series is kept already, and how the rest is fetched."""

    series: ListedSeries
    kept_before: int
    requests: tuple[FetchRequest, ...]

    @property
    def missing(self) -> tuple[Listed, ...]:
        """The instances that are to come, as far as the archive listed them."""
        return tuple(one for request in self.requests for one in request.instances)


def plan_series(database: Database, series: ListedSeries) -> SeriesPlan:
    """Return how to fetch what is not kept of a series."""
    if series.instances is None:
        return SeriesPlan(series, 0, (FetchRequest(series, (), names_instances=False),))
    kept = kept_of(database, series.instances)
    missing = tuple(one for one in series.instances if one.sop_instance_uid not in kept)
    if series.is_whole and not kept:
        requests: tuple[FetchRequest, ...] = (FetchRequest(series, missing, names_instances=False),)
    else:
        requests = tuple(FetchRequest(series, part, True) for part in _parts(missing))
    return SeriesPlan(series, len(kept), requests)


def kept_of(database: Database, instances: tuple[Listed, ...]) -> set[str]:
    """Return the SOP Instance UIDs of those that are in the record."""
    kept: set[str] = set()
    for part in _parts(instances):
        with database.reading() as session:
            kept |= find_kept(session, [one.sop_instance_uid for one in part])
    return kept


def _parts(instances: tuple[Listed, ...]) -> Iterator[tuple[Listed, ...]]:
    for start in range(0, len(instances), _NAMED_AT_ONCE):
        yield instances[start : start + _NAMED_AT_ONCE]
