"""What is to be reported, or was and is not answered yet, on associations that are still open."""

from dataclasses import dataclass, field
from threading import Lock
from weakref import WeakKeyDictionary

from pynetdicom.association import Association


@dataclass(frozen=True)
class SentReport:
    """An event report on its way: of which request, and how many instances it says are failed."""

    request_key: int
    failed_count: int


@dataclass
class _OfAssociation:
    due: list[int] = field(default_factory=list)
    sent: dict[int, SentReport] = field(default_factory=dict)
    last_message_id: int = 0


class OpenReports:
    """Shared by the threads of all associations; an association that ends takes its part along."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._associations: WeakKeyDictionary[Association, _OfAssociation] = WeakKeyDictionary()

    def __len__(self) -> int:
        return len(self._associations)

    def expect(self, association: Association, request_key: int) -> None:
        """Note that a request is to be reported once its N-ACTION is answered."""
        with self._lock:
            self._associations.setdefault(association, _OfAssociation()).due.append(request_key)

    def take_due(self, association: Association) -> list[int]:
        """Return what is to be reported now, and forget it."""
        with self._lock:
            ours = self._associations.get(association, _OfAssociation())
            due, ours.due = ours.due, []
            return due

    def add_sent(self, association: Association, report: SentReport) -> int:
        """Note that a report goes out; return the Message ID it must carry."""
        with self._lock:
            ours = self._associations.setdefault(association, _OfAssociation())
            ours.last_message_id += 1
            ours.sent[ours.last_message_id] = report
            return ours.last_message_id

    def take_sent(self, association: Association, message_id: int) -> SentReport | None:
        """Return the report a response belongs to, None where there is none, and forget it."""
        with self._lock:
            return self._associations.get(association, _OfAssociation()).sent.pop(message_id, None)
