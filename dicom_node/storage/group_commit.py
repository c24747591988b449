"""Stores that come at once share their syncs and their transaction.

Leader and followers: whoever is first leads, takes everybody who waits, syncs each folder once and
commits once. Who comes meanwhile is led by the next. Nobody waits for company: a lone store leads
itself at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from core.database import Database, TransactionConflict
from core.errors import InfrastructureError
from dicom_node.storage.bytes import Storage
from dicom_node.storage.instances import Arrival
from dicom_node.storage.records import IngestOutcome, Result, record
from dicom_node.storage.unfinished import Unfinished

#: Stores of one transaction at most: bounds how long other writers of the record wait.
_LARGEST_GROUP: Final = 64
#: How often the rows are tried anew when another process wrote the same ones first.
_ROUNDS: Final = 5


def _shut_gate() -> Lock:
    gate = Lock()
    gate.acquire()
    return gate


@dataclass(eq=False)
class _Store:
    """One arrival that waits, with its synced bytes; `result` once it was led."""

    arrival: Arrival
    unfinished: Unfinished
    result: Result | InfrastructureError | None = None
    #: A group it was part of failed: its own fault or a neighbour's, so it goes alone.
    goes_alone: bool = False
    #: Shut until it was led or is to lead. One for each: those of one lock would wait for each
    #: other to wake up.
    gate: Lock = field(default_factory=_shut_gate)

    @property
    def uid(self) -> str:
        return self.arrival.header.sop_instance_uid

    @property
    def place(self) -> tuple[str, str, str]:
        header = self.arrival.header
        return header.study_instance_uid, header.series_instance_uid, header.sop_instance_uid


class GroupCommit:
    """The way into the record for every store of this process."""

    def __init__(self, database: Database, storage: Storage) -> None:
        self._database = database
        self._storage = storage
        self._access = Lock()
        self._is_led = False
        self._waiting: list[_Store] = []

    def commit(self, arrival: Arrival, unfinished: Unfinished) -> IngestOutcome:
        """Name the synced bytes and write their rows; both survive a power cut on return.

        Raises
        ------
        InstanceRefused
            If the instance contradicts what is kept; nothing of it is visible then.
        StorageFull, StorageAway, DatabaseAway
            If it could not be kept now.
        """
        store = _Store(arrival, unfinished)
        if not self._join(store):
            store.gate.acquire()
        if store.result is None:
            try:
                self._lead(store)
            finally:
                self._pass_on()
        if isinstance(store.result, IngestOutcome):
            return store.result
        if store.result is None:
            raise AssertionError("a store was neither led nor did its leader fail")
        raise store.result

    def _join(self, store: _Store) -> bool:
        """Put a store into the line; return whether it leads at once, because nobody does."""
        with self._access:
            self._waiting.append(store)
            leads, self._is_led = not self._is_led, True
        return leads

    def _pass_on(self) -> None:
        """Let whoever waited longest lead, if anybody waits."""
        with self._access:
            self._is_led = bool(self._waiting)
            if self._is_led:
                self._waiting[0].gate.release()

    def _lead(self, leader: _Store) -> None:
        group = self._take(leader)
        try:
            self._settle(group)
        except InfrastructureError as error:
            # It would meet every one of them: nobody waits for the same time-out again.
            for store in group:
                store.result = error
        except SQLAlchemyError:
            # One of them cannot be written. Each is tried by itself, this one now.
            if len(group) == 1:
                raise
            self._put_back(group)
            self._lead(leader)
        finally:
            # Whatever went wrong: it is this store's own error, the others lead themselves.
            followers = [one for one in group if one is not leader]
            self._put_back([one for one in followers if one.result is None])
            for led in followers:
                if led.result is not None:
                    led.gate.release()

    def _take(self, leader: _Store) -> Sequence[_Store]:
        """Return the leader and who can go with it: no two of one UID, none that goes alone."""
        with self._access:
            self._waiting.remove(leader)
            group = {leader.uid: leader}
            if not leader.goes_alone:
                for store in self._waiting[:_LARGEST_GROUP]:
                    if not store.goes_alone:
                        group.setdefault(store.uid, store)
            taken = set(group.values())
            self._waiting = [store for store in self._waiting if store not in taken]
        # In one order in every process, so that no two wait for each other's rows.
        return sorted(group.values(), key=lambda store: store.place)

    def _put_back(self, stores: Sequence[_Store]) -> None:
        with self._access:
            for store in stores:
                store.goes_alone = True
            self._waiting += [store for store in stores if store not in self._waiting]

    def _settle(self, group: Sequence[_Store]) -> None:
        for attempt in range(1, _ROUNDS + 1):
            try:
                results = self._record(group)
                break
            except (IntegrityError, TransactionConflict):
                # Another process wrote the same patient, study, series or instance: look again.
                if attempt == _ROUNDS:
                    raise
        for store, result in zip(group, results, strict=True):
            store.result = result

    def _record(self, group: Sequence[_Store]) -> list[Result]:
        files = {store.uid: store.unfinished for store in group}

        def make_durable(taken: Sequence[tuple[Arrival, str]]) -> None:
            # Also where such a file stands: its name may not have been synced yet, and it may be
            # damaged. Then the object sent again is what mends it.
            self._storage.keep((files[one.header.sop_instance_uid], key) for one, key in taken)

        with self._database.writing() as connection:
            return record(connection, [store.arrival for store in group], make_durable)
