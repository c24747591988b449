"""Storage SCU (PS3.4 annex B): files go out exactly as they are."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydicom.uid import UID
from pynetdicom import build_context
from pynetdicom.association import Association

from core.calling_tls import CallingTLS
from dicom_node.calling_errors import PathUnreadable
from dicom_node.media.files import find_files
from dicom_node.peers import PeerAddress
from dicom_node.scu.association import MAXIMUM_CONTEXTS, accepts_nothing, associate
from dicom_node.scu.files import FileToSend, read_file_to_send
from dicom_node.statuses import Status

#: Statuses of the kind Warning (PS3.4 B.2.3): the peer kept the instance.
_WARNINGS: Final = range(0xB000, 0xC000)


@dataclass(frozen=True)
class SendResult:
    """How the sending of one file ended.

    Attributes
    ----------
    status
        What the peer answered (0000,0900); None where the file was not sent or not answered.
    message
        Why it was not kept, or what the peer remarked; empty otherwise.
    """

    path: Path
    sop_instance_uid: str = ""
    status: int | None = None
    message: str = ""

    @property
    def is_kept(self) -> bool:
        """Whether the peer took the instance."""
        return self.status is not None and (
            self.status == Status.SUCCESS or self.status in _WARNINGS
        )


def send(
    paths: Iterable[Path],
    peer: PeerAddress,
    calling_ae_title: str,
    tls: CallingTLS | None = None,
) -> Iterator[SendResult]:
    """Send files, folders and DICOMDIR media; one result a file, as they come.

    A file that is no DICOM, or that the peer refuses, is a result like any other.

    Raises
    ------
    PathUnreadable
        If a path does not exist.
    PeerUnreachable, AssociationRejected
        If there is no association to send on.
    """
    files = []
    for path in find_files(paths):
        try:
            files.append(read_file_to_send(path))
        except PathUnreadable as error:
            yield SendResult(path, message=str(error))
    for group in _group(files):
        yield from _send_group(group, peer, calling_ae_title, tls)


def _group(files: Sequence[FileToSend]) -> Iterator[list[FileToSend]]:
    """Split the files so that each group needs no more contexts than one association has."""
    group: list[FileToSend] = []
    contexts: set[tuple[str, str]] = set()
    for file in files:
        context = (file.sop_class_uid, file.transfer_syntax_uid)
        if context not in contexts and len(contexts) == MAXIMUM_CONTEXTS:
            yield group
            group, contexts = [], set()
        contexts.add(context)
        group.append(file)
    if group:
        yield group


def _send_group(
    group: Sequence[FileToSend],
    peer: PeerAddress,
    calling_ae_title: str,
    tls: CallingTLS | None,
) -> Iterator[SendResult]:
    contexts = dict.fromkeys((file.sop_class_uid, file.transfer_syntax_uid) for file in group)
    proposed = [build_context(*context) for context in contexts]
    waiting = list(group)
    # A peer that aborts on one file is asked again for the next ones.
    while waiting:
        with associate(peer, calling_ae_title, proposed, tls=tls) as association:
            if accepts_nothing(association):
                yield from (_not_accepted(file) for file in waiting)
                return
            # At least one each time, so that a peer which aborts at once does not hold us for ever.
            yield _send_one(association, waiting.pop(0))
            while waiting and association.is_established:
                yield _send_one(association, waiting.pop(0))


def _send_one(association: Association, file: FileToSend) -> SendResult:
    accepted = {
        (str(context.abstract_syntax), str(context.transfer_syntax[0]))
        for context in association.accepted_contexts
    }
    if (file.sop_class_uid, file.transfer_syntax_uid) not in accepted:
        return _not_accepted(file)
    try:
        response = association.send_c_store(file.path)
    except OSError as error:
        return _unsent(file, f"cannot be read: {error.strerror}")
    except ValueError:
        return _unsent(file, "its file meta information holds a malformed UID")
    except RuntimeError:
        # What pynetdicom raises on an association that ended meanwhile.
        return _unsent(file, "the peer ended the association")
    if "Status" not in response:
        # It may still look established for a moment; the next file would wait out the time-out.
        association.abort()
        return _unsent(file, "the peer ended the association without an answer")
    comment = str(response.get("ErrorComment", ""))
    return SendResult(file.path, file.sop_instance_uid, int(response.Status), comment)


def _not_accepted(file: FileToSend) -> SendResult:
    sop_class, syntax = UID(file.sop_class_uid).name, UID(file.transfer_syntax_uid).name
    return _unsent(file, f"the peer does not accept {sop_class} in {syntax}")


def _unsent(file: FileToSend, message: str) -> SendResult:
    return SendResult(file.path, file.sop_instance_uid, message=message)
