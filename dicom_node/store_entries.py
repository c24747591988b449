"""The audit entries of what comes in by no association with our server: one for each batch."""

from threading import Lock
from typing import Final

from core.database import Database
from core.values.audit import Actor
from dicom_node.audited import append_stores
from dicom_node.receive.store_tally import StoreTally

#: Instances that one entry is about at most: it names as many studies.
BATCH: Final = 200


class StoreEntries:
    """Counts what came in since the last entry; several threads may count.

    Parameters
    ----------
    service
        The door, as an entry names it.
    """

    def __init__(self, database: Database, actor: Actor, service: str) -> None:
        self._database = database
        self._actor = actor
        self._service = service
        self._tally = StoreTally()
        self._lock = Lock()

    def count(self, study_instance_uid: str, *, is_kept: bool) -> None:
        """Count an instance; an empty UID where it could not be read."""
        with self._lock:
            self._tally.count(study_instance_uid, is_kept=is_kept)

    def write(self, at_least: int = 1) -> None:
        """Write an entry, if so many came in.

        Raises
        ------
        DatabaseAway
            If it cannot be written; what it is about is counted on.
        """
        with self._lock:
            tally = self._tally
            if tally.kept + tally.refused < at_least:
                return
            counts = (tally.kept, tally.refused, sorted(tally.studies))
            with self._database.transaction() as session:
                append_stores(session, self._actor, *counts, self._service)
            self._tally = StoreTally()
