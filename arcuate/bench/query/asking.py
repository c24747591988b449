"""Asking over C-FIND and over HTTP, with as little work on this side as can be."""

import io
import struct
import time
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import quote

import httpx
from pydicom import Dataset, dcmwrite
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StudyRootQueryRetrieveInformationModelFind,
)

from arcuate.bench.ingest import pdu
from arcuate.bench.ingest.raw_sender import connect
from arcuate.bench.query.questions import Question
from core.errors import NodeError

#: What each answer tells: a work list of a viewer.
TOLD: Final = (
    "StudyInstanceUID",
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "StudyDescription",
    "ModalitiesInStudy",
    "NumberOfStudyRelatedSeries",
    "NumberOfStudyRelatedInstances",
)
_FIELDS: Final = f"includefield={','.join(TOLD)}"
_IMPLICIT_VR: Final = "1.2.840.10008.1.2"
_PENDING: Final = (0xFF00, 0xFF01)
_SUCCESS: Final = 0x0000
_COMMAND: Final = 0x01


class AnswerWrong(NodeError):
    """A server answered with another number of studies than there are, or with an error."""


@dataclass(frozen=True)
class Answer:
    """How many studies were told, and how long that took in all."""

    studies: int
    seconds: float


class Asking(Protocol):
    """A way to ask that stays open."""

    def ask(self, question: Question) -> Answer:
        """Ask once, and read all of the answer."""

    def close(self) -> None:
        """End it."""


class FindAsking:
    """C-FIND on one association."""

    def __init__(self, host: str, port: int, calling: str, called: str) -> None:
        self._connection = connect(host, port)
        self._stream = self._connection.makefile("rb", buffering=1 << 16)
        model = str(StudyRootQueryRetrieveInformationModelFind)
        request = pdu.associate_request(calling, called, model, _IMPLICIT_VR)
        self._connection.sendall(request)
        kind, body = self._read()
        if kind != pdu.ASSOCIATE_AC:
            raise AnswerWrong(f"{called} does not take the association")
        pdu.read_acceptance(body)
        self._model, self._message_id = model, 0

    def ask(self, question: Question) -> Answer:
        """Ask once, and read all of the answer."""
        identifier = _identifier(question)
        self._message_id = self._message_id % 0xFFFF + 1
        request = pdu.find_request(self._message_id, self._model)
        started = time.perf_counter()
        self._connection.sendall(request + pdu.data_set_pdus(identifier, pdu.LARGEST_PDU_BYTES))
        studies = 0
        while (status := self._status()) in _PENDING:
            studies += 1
        seconds = time.perf_counter() - started
        if status != _SUCCESS:
            raise AnswerWrong(f"A C-FIND was answered with status 0x{status:04X}")
        return Answer(studies, seconds)

    def close(self) -> None:
        """Release the association."""
        self._connection.sendall(pdu.release_request())
        self._stream.close()
        self._connection.close()

    def _status(self) -> int:
        """Return the status of the next response, with its identifier read, too."""
        while True:
            kind, body = self._read()
            if kind != pdu.DATA_TF:
                raise AnswerWrong("The association ended in the middle of an answer")
            if body[5] & _COMMAND:
                return pdu.read_status(body)

    def _read(self) -> tuple[int, bytes]:
        header = self._stream.read(pdu.HEADER_BYTES)
        if len(header) < pdu.HEADER_BYTES:
            raise AnswerWrong("The server closed the connection")
        kind, length = struct.unpack(">BxI", header)
        return kind, self._stream.read(length)


class WebAsking:
    """QIDO-RS on one connection."""

    def __init__(self, root: str) -> None:
        self._client = httpx.Client(timeout=60, headers={"Accept": "application/dicom+json"})
        self._address = f"{root}/studies"

    def ask(self, question: Question) -> Answer:
        """Ask once, and read all of the answer."""
        # Orthanc 1.10.1 takes an asterisk that is percent-encoded for itself.
        asked = f"{question.keyword}={quote(question.value, safe='*')}&{_FIELDS}"
        started = time.perf_counter()
        answer = self._client.get(f"{self._address}?{asked}")
        seconds = time.perf_counter() - started
        if answer.status_code not in {200, 204}:
            raise AnswerWrong(f"QIDO-RS was answered with {answer.status_code}")
        return Answer(len(answer.json()) if answer.content else 0, seconds)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _identifier(question: Question) -> bytes:
    dataset = Dataset()
    dataset.QueryRetrieveLevel = "STUDY"
    for keyword in TOLD:
        setattr(dataset, keyword, "")
    setattr(dataset, question.keyword, question.value)
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, implicit_vr=True, little_endian=True, enforce_file_format=False)
    return buffer.getvalue()
