"""Asking an archive what it holds (C-FIND, Study Root; PS3.4 annex C)."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from pydicom import Dataset
from pynetdicom import build_context, evt
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StudyRootQueryRetrieveInformationModelFind,
)

from core.calling_tls import CallingTLS
from dicom_node.calling_errors import (
    AssociationRejected,
    PeerUnreachable,
    QueryInvalid,
    QueryRefused,
)
from dicom_node.peers import PeerAddress
from dicom_node.retrieve.date_range import DateRange
from dicom_node.scp.size_limit import handle_pdu
from dicom_node.scu.association import accepts_nothing, associate
from dicom_node.statuses import Status, is_pending
from dicom_node.storage.identifiers import is_uid

#: Wildcards and the list separator (PS3.4 C.2.2.2): with them other patients would be found, too.
_NOT_IN_AN_ID: Final = frozenset("*?\\")


@dataclass(frozen=True)
class StudyQuery:
    """Which studies are asked for: by exactly one of the three."""

    study_instance_uid: str = ""
    patient_id: str = ""
    dates: DateRange | None = None

    def __post_init__(self) -> None:
        asked = (self.study_instance_uid, self.patient_id, self.dates)
        if sum(bool(one) for one in asked) != 1:
            raise QueryInvalid("ask by one of study, patient and date")
        if self.study_instance_uid and not is_uid(self.study_instance_uid):
            raise QueryInvalid(f"{self.study_instance_uid!r} is no UID")
        if not _NOT_IN_AN_ID.isdisjoint(self.patient_id):
            raise QueryInvalid("a Patient ID is asked for as it is, without wildcards")

    def identifier(self) -> Dataset:
        """Return what is asked for at the study level."""
        dataset = _identifier("STUDY")
        dataset.StudyInstanceUID = self.study_instance_uid
        dataset.PatientID = self.patient_id
        dataset.StudyDate = str(self.dates) if self.dates else ""
        dataset.ModalitiesInStudy = ""
        return dataset

    def matches(self, answer: Dataset) -> bool:
        """Whether an answer is one that was asked for: some archives ignore what they cannot match.

        Otherwise another patient's study, or a whole archive, would be fetched.
        """
        if not is_uid(_text(answer, "StudyInstanceUID")):
            return False
        if self.study_instance_uid:
            return _text(answer, "StudyInstanceUID") == self.study_instance_uid
        if self.patient_id:
            return _text(answer, "PatientID") == self.patient_id.strip()
        return self.dates is not None and self.dates.holds(_text(answer, "StudyDate"))


def query_contexts() -> list[PresentationContext]:
    """Return what we propose to ask an archive what it holds."""
    return [build_context(StudyRootQueryRetrieveInformationModelFind)]


class Querying:
    """An association on which an archive is asked."""

    def __init__(self, association: Association, peer: PeerAddress) -> None:
        self._association = association
        self._peer = peer

    def studies(self, query: StudyQuery) -> Sequence[Dataset]:
        """Return the studies that were asked for."""
        return [answer for answer in self._ask(query.identifier()) if query.matches(answer)]

    def series(self, study_instance_uid: str) -> Sequence[Dataset]:
        """Return the series of a study, with Modality."""
        dataset = _identifier("SERIES")
        dataset.StudyInstanceUID = study_instance_uid
        dataset.SeriesInstanceUID = ""
        dataset.Modality = ""
        return [one for one in self._ask(dataset) if is_uid(_text(one, "SeriesInstanceUID"))]

    def instances(self, study_instance_uid: str, series_instance_uid: str) -> Sequence[Dataset]:
        """Return the instances of a series, with SOP Class UID where the archive tells it."""
        dataset = _identifier("IMAGE")
        dataset.StudyInstanceUID = study_instance_uid
        dataset.SeriesInstanceUID = series_instance_uid
        dataset.SOPInstanceUID = ""
        dataset.SOPClassUID = ""
        return [one for one in self._ask(dataset) if is_uid(_text(one, "SOPInstanceUID"))]

    def _ask(self, identifier: Dataset) -> Sequence[Dataset]:
        """Return every answer.

        Raises
        ------
        QueryRefused
            If the archive says so.
        PeerUnreachable
            If it falls silent or ends the association.
        """
        answers: list[Dataset] = []
        model = StudyRootQueryRetrieveInformationModelFind
        try:
            for status, answer in self._association.send_c_find(identifier, model):
                if is_pending(status) and answer is not None:
                    answers.append(answer)
                elif not is_pending(status):
                    self._check(status)
        except RuntimeError as error:
            # What pynetdicom raises on an association that ended meanwhile.
            raise PeerUnreachable(f"{self._peer} ended the association") from error
        return answers

    def _check(self, status: Dataset) -> None:
        if "Status" not in status:
            raise PeerUnreachable(f"{self._peer} did not answer the query")
        if status.Status != Status.SUCCESS:
            raise QueryRefused(f"{self._peer} answered the query with 0x{status.Status:04X}")


@contextmanager
def querying(peer: PeerAddress, calling_ae_title: str, tls: CallingTLS) -> Generator[Querying]:
    """Open an association to ask on; the errors are those of `associate`."""
    contexts = query_contexts()
    bounded = [(evt.EVT_PDU_RECV, handle_pdu)]
    with associate(peer, calling_ae_title, contexts, tls=tls, handlers=bounded) as association:
        if accepts_nothing(association):
            raise AssociationRejected(f"{peer} does not accept queries (C-FIND, Study Root)")
        yield Querying(association, peer)


def _identifier(level: str) -> Dataset:
    dataset = Dataset()
    dataset.QueryRetrieveLevel = level
    return dataset


def _text(answer: Dataset, keyword: str) -> str:
    return str(answer.get(keyword) or "").strip()
