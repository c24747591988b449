"""One store request on its way in: its parts go to the archive one after the other, as they come.

Everything here blocks, and runs in a thread.
"""

from collections.abc import Iterable
from typing import Final

from api.dicomweb.media_types import DICOM, parse_media_type
from api.dicomweb.parts import PartBegan, PartContent, PartEnded, PartEvent, PartReader
from api.dicomweb.store_outcome import FailedInstance, StoredInstance, StoreOutcome
from api.errors import BodyMalformed, BodyTooLarge
from core.errors import NodeError
from core.logs import get_logger
from dicom_node.errors import FileInvalid, InstanceRefused
from dicom_node.storage.archive import Archive
from dicom_node.storage.failure_reasons import failure_reason_of
from dicom_node.storage.identifiers import is_uid
from dicom_node.storage.incoming_file import IncomingFile

#: Objects in one request; a large study has some hundreds.
MAXIMUM_PARTS: Final = 10_000
_ENCODING: Final = "content-transfer-encoding"
#: Encodings that leave bytes as they are (RFC 2045 6.2).
_PLAIN_ENCODINGS: Final = frozenset({"", "binary", "8bit", "7bit"})

_LOG = get_logger(__name__)


class StoreRequest:
    """Takes the bytes of one request's body.

    Parameters
    ----------
    sender
        Name of the API key; never a patient's.
    study_instance_uid
        The study the address names, None where it names none.
    """

    def __init__(
        self, archive: Archive, sender: str, study_instance_uid: str | None, reader: PartReader
    ) -> None:
        self._archive = archive
        self._sender = sender
        self._study_instance_uid = study_instance_uid
        self._reader = reader
        self._part: _Part | None = None
        self._stored: list[StoredInstance] = []
        self._failed: list[FailedInstance] = []

    @property
    def kept(self) -> int:
        """Objects kept so far."""
        return len(self._stored)

    @property
    def refused(self) -> int:
        """Objects refused so far."""
        return len(self._failed)

    def feed(self, content: bytes) -> None:
        """Take the next bytes of the body; what is whole with them is kept when this returns.

        Raises
        ------
        BodyMalformed, BodyTooLarge
            If the request must not go on. What was kept before stays kept.
        """
        self._take_all(self._reader.feed(content))

    def finish(self) -> StoreOutcome:
        """Return what became of every object, at the end of the body.

        Raises
        ------
        BodyMalformed
            If the body must not end here, or held nothing.
        """
        self._take_all(self._reader.close())
        if not (self._stored or self._failed):
            raise BodyMalformed("The body holds no object")
        return StoreOutcome(self._stored, self._failed)

    def discard(self) -> None:
        """Let go of an object that is not whole; again does nothing."""
        if self._part is not None:
            self._part.discard()
            self._part = None

    def _take_all(self, events: Iterable[PartEvent]) -> None:
        try:
            for event in events:
                self._take(event)
        except BodyMalformed as error:
            if not self._stored:
                raise
            raise BodyMalformed(f"{error}; kept before that: {len(self._stored)}") from error

    def _take(self, event: PartEvent) -> None:
        match event:
            case PartBegan(headers):
                if len(self._stored) + len(self._failed) == MAXIMUM_PARTS:
                    raise BodyTooLarge(f"One request may bring at most {MAXIMUM_PARTS} objects")
                file = IncomingFile(self._archive, self._sender, self._study_instance_uid)
                self._part = _Part(file)
                self._part.check(headers.get("content-type"), headers.get(_ENCODING, ""))
            case PartContent(content):
                self._open_part.write(content)
            case PartEnded():
                self._settle(self._open_part.end())
                self.discard()

    @property
    def _open_part(self) -> "_Part":
        if self._part is None:
            raise ValueError("a part went on before it began")
        return self._part

    def _settle(self, result: StoredInstance | FailedInstance) -> None:
        if isinstance(result, StoredInstance):
            self._stored.append(result)
            return
        self._failed.append(result)
        # What was kept aside is in the log already.
        if not isinstance(result.error, InstanceRefused):
            reason = hex(failure_reason_of(result.error))
            error = str(result.error)
            _LOG.warning("store_refused", peer=self._sender, error=error, status=reason)


class _Part:
    """One object of a request. Once it failed, the rest of it is dropped as it comes."""

    def __init__(self, file: IncomingFile) -> None:
        self._file = file
        self._error: NodeError | None = None

    def check(self, content_type: str | None, encoding: str) -> None:
        is_dicom = content_type is None or parse_media_type(content_type).name == DICOM
        if not is_dicom or encoding.lower() not in _PLAIN_ENCODINGS:
            self._error = FileInvalid("The part is not application/dicom, or encoded")

    def write(self, content: bytes) -> None:
        if self._error is not None:
            return
        try:
            self._file.write(content)
        except NodeError as error:
            self._error = error
            self._file.discard()

    def end(self) -> StoredInstance | FailedInstance:
        uids = self._uids()
        try:
            if self._error is not None:
                raise self._error
            outcome = self._file.keep()
        except NodeError as error:
            return FailedInstance(*uids, error)
        return StoredInstance(*uids, outcome.instance_key)

    def discard(self) -> None:
        self._file.discard()

    def _uids(self) -> tuple[str, str]:
        meta = self._file.meta
        if meta is None or not is_uid(meta.sop_instance_uid):
            return "", ""
        return meta.sop_class_uid if is_uid(meta.sop_class_uid) else "", meta.sop_instance_uid
