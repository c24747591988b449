"""What the addresses of DICOMweb name."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from api.dependencies import Node, NodeParameter
from api.errors import ParameterInvalid
from core.errors import RecordNotFound
from dicom_node.errors import BytesRemoved
from dicom_node.storage.identifiers import is_uid
from dicom_node.storage.selection import Selected, Selection


@dataclass(frozen=True)
class Resource:
    """A study, a series of it, or an instance of that; deeper levels are empty."""

    study: str
    series: str = ""
    instance: str = ""

    def __post_init__(self) -> None:
        for name in ("study", "series", "instance"):
            uid = getattr(self, name)
            if uid and not is_uid(uid):
                raise ParameterInvalid(name, "is no UID")

    @property
    def selection(self) -> Selection:
        """What it selects."""
        return Selection(
            study_instance_uids=(self.study,),
            series_instance_uids=(self.series,) if self.series else (),
            sop_instance_uids=(self.instance,) if self.instance else (),
        )

    def one(self, node: Node) -> Selected:
        """Return the instance.

        Raises
        ------
        RecordNotFound
            If it is not kept there; BytesRemoved where retention removed it.
        """
        selected = next(self.selection.instances(node.database), None)
        if selected is None:
            raise RecordNotFound("No instance is kept under those UIDs")
        if selected.is_removed:
            raise BytesRemoved
        return selected


async def study_of_path(study: str) -> Resource:
    """Return the study a path names."""
    return Resource(study)


async def series_of_path(study: str, series: str) -> Resource:
    """Return the series a path names."""
    return Resource(study, series)


def instance_of_path(study: str, series: str, instance: str, node: NodeParameter) -> Selected:
    """Return the instance a path names."""
    return Resource(study, series, instance).one(node)


#: Parameters of routes: what their paths name.
StudyParameter = Annotated[Resource, Depends(study_of_path)]
SeriesParameter = Annotated[Resource, Depends(series_of_path)]
InstanceParameter = Annotated[Selected, Depends(instance_of_path)]
