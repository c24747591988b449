"""Where stored objects are found: the Retrieve URLs (0008,1190) of PS3.18 10.5.3."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session, col, select

from core.tables.instances import InstanceRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow

#: Keys asked for in one statement: either database takes more, none takes any number.
_BATCH: Final = 500


@dataclass(frozen=True)
class Location:
    """An instance below its study, under the root of the DICOMweb services."""

    root: str
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str

    @property
    def study_url(self) -> str:
        """Where its study is found."""
        return f"{self.root}/studies/{self.study_instance_uid}"

    @property
    def url(self) -> str:
        """Where it is found itself."""
        series = f"{self.study_url}/series/{self.series_instance_uid}"
        return f"{series}/instances/{self.sop_instance_uid}"


def locate(session: Session, root: str, keys: Sequence[int]) -> Mapping[int, Location]:
    """Return where each instance is found, by the primary keys of their rows."""
    locations: dict[int, Location] = {}
    for start in range(0, len(keys), _BATCH):
        statement = (
            select(
                InstanceRow.id,
                StudyRow.study_instance_uid,
                SeriesRow.series_instance_uid,
                InstanceRow.sop_instance_uid,
            )
            .join(SeriesRow, col(SeriesRow.id) == col(InstanceRow.series_key))
            .join(StudyRow, col(StudyRow.id) == col(SeriesRow.study_key))
            .where(col(InstanceRow.id).in_(keys[start : start + _BATCH]))
        )
        for key, *uids in session.exec(statement).all():
            if key is not None:
                locations[key] = Location(root, *uids)
    return locations
