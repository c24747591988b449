"""What an archive holds of the studies asked for, series by series."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pydicom import Dataset
from pydicom.multival import MultiValue

from core.logs import get_logger
from dicom_node.calling_errors import QueryRefused
from dicom_node.devices.input_class import is_model_input
from dicom_node.retrieve.query import Querying, StudyQuery
from dicom_node.storage.accept_list import ACCEPTED_SOP_CLASSES

#: Modalities of what is scored, and of the localizers that belong to it.
_SCORED_MODALITIES: Final = frozenset({"OPT", "OP", "OPM"})

_log = get_logger(__name__)


@dataclass(frozen=True)
class Listed:
    """An instance an archive told of; `sop_class_uid` is empty where it does not tell."""

    sop_instance_uid: str
    sop_class_uid: str = ""


@dataclass(frozen=True)
class ListedSeries:
    """A series an archive told of.

    Attributes
    ----------
    instances
        Those that are wanted; None where the archive does not list single instances.
    is_whole
        Whether every instance of the series is wanted.
    """

    study_instance_uid: str
    series_instance_uid: str
    modality: str
    instances: tuple[Listed, ...] | None
    is_whole: bool = True


@dataclass(frozen=True)
class Wish:
    """What of a study is wanted: what can be scored, or everything the node takes."""

    everything: bool = False

    def includes_study(self, answer: Dataset) -> bool:
        """Whether a study may hold something; one that does not tell its modalities may."""
        modalities = _values(answer, "ModalitiesInStudy")
        return self.everything or not modalities or bool(modalities & _SCORED_MODALITIES)

    def includes_series(self, modality: str) -> bool:
        """Whether a series may hold something."""
        return self.everything or not modality or modality in _SCORED_MODALITIES

    def includes(self, instance: Listed) -> bool:
        """Whether an instance is wanted."""
        uid = instance.sop_class_uid
        if not uid:
            return True
        return uid in ACCEPTED_SOP_CLASSES if self.everything else is_model_input(uid)


def list_series(querying: Querying, query: StudyQuery, wish: Wish) -> Iterator[ListedSeries]:
    """Return every series that holds something wanted; errors are those of `Querying`."""
    for study in querying.studies(query):
        if not wish.includes_study(study):
            continue
        study_uid = str(study.StudyInstanceUID)
        for series in querying.series(study_uid):
            modality = str(series.get("Modality") or "").strip()
            if wish.includes_series(modality):
                listed = _list(querying, study_uid, str(series.SeriesInstanceUID), modality, wish)
                if listed.instances is None or listed.instances:
                    yield listed


def _list(
    querying: Querying, study_uid: str, series_uid: str, modality: str, wish: Wish
) -> ListedSeries:
    try:
        answers = querying.instances(study_uid, series_uid)
    except QueryRefused as error:
        # Not every archive knows this level: then the series is fetched as it is.
        _log.info("instances_not_listed", error=str(error))
        return ListedSeries(study_uid, series_uid, modality, None)
    found = [
        Listed(str(one.SOPInstanceUID), str(one.get("SOPClassUID") or "").strip())
        for one in answers
    ]
    wanted = tuple(one for one in found if wish.includes(one))
    return ListedSeries(study_uid, series_uid, modality, wanted, len(wanted) == len(found))


def _values(answer: Dataset, keyword: str) -> set[str]:
    value = answer.get(keyword)
    values = value if isinstance(value, MultiValue) else [value or ""]
    return {str(one).strip() for one in values} - {""}
