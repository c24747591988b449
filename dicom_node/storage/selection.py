"""What a retrieval asks for: instances by the keys of the levels above them, a page at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select
from sqlmodel import col

from core.database import Database
from core.patients import keys_named
from core.tables.instances import InstanceRow
from core.tables.patients import PatientRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow
from dicom_node.errors import RetrieveInvalid

#: Rows held at a time, and UIDs named in one statement: either database takes more.
PAGE_ROWS: Final = 500


@dataclass(frozen=True)
class Selected:
    """An instance that a retrieval finds.

    Attributes
    ----------
    digest
        SHA-256 (hex) of its encoded data set.
    is_removed
        Whether retention removed its bytes.
    """

    key: int
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    storage_key: str
    digest: str
    is_removed: bool


@dataclass(frozen=True)
class Selection:
    """The unique keys of a retrieval; one that is empty leaves its level open.

    Attributes
    ----------
    patient_id, issuer
        `issuer` counts only where a Patient ID is given; None for any issuer.
    """

    patient_id: str = ""
    issuer: str | None = None
    study_instance_uids: Sequence[str] = ()
    series_instance_uids: Sequence[str] = ()
    sop_instance_uids: Sequence[str] = ()

    def encodings(self, database: Database) -> dict[tuple[str, str], int]:
        """Return how many instances there are of each SOP class and transfer syntax."""
        kind: tuple[Any, ...] = (
            col(InstanceRow.sop_class_uid),
            col(InstanceRow.transfer_syntax_uid),
        )
        found: dict[tuple[str, str], int] = {}
        for conditions in self._batches():
            statement = _joined(select(*kind, func.count())).where(*conditions).group_by(*kind)
            with database.reading() as session:
                for sop_class_uid, syntax, count in session.execute(statement):
                    pair = (str(sop_class_uid), str(syntax))
                    found[pair] = found.get(pair, 0) + int(count)
        return found

    def instances(self, database: Database) -> Iterator[Selected]:
        """Yield the instances, those of a batch of keys in the order they came.

        No connection is held between two pages.
        """
        for conditions in self._batches():
            last = 0
            while page := _page(database, conditions, last):
                yield from page
                last = page[-1].key

    def subjects(self, database: Database) -> set[tuple[str, int]]:
        """Return Study Instance UID and key of the patient of everything selected."""
        found: set[tuple[str, int]] = set()
        columns: tuple[Any, ...] = (col(StudyRow.study_instance_uid), col(StudyRow.patient_key))
        for conditions in self._batches():
            statement = _joined(select(*columns).distinct()).where(*conditions)
            with database.reading() as session:
                found.update((str(uid), int(key)) for uid, key in session.execute(statement))
        return found

    def fingerprint(self, database: Database) -> tuple[int, int, str]:
        """Return how many instances have their bytes, how many not, and a digest of them all."""
        kept, removed, digest = 0, 0, sha256()
        for selected in self.instances(database):
            kept += not selected.is_removed
            removed += selected.is_removed
            # What is left out makes another answer than what is there again.
            told = (selected.sop_instance_uid, selected.digest, selected.is_removed)
            digest.update(f"{told}\n".encode())
        return kept, removed, digest.hexdigest()

    def patients(self, database: Database) -> int:
        """Return how many patients have the Patient ID: each issuer counts from 1 on."""
        statement = select(func.count()).select_from(PatientRow).where(*self._of_patient())
        with database.reading() as session:
            return int(session.execute(statement).scalar_one())

    def _of_patient(self) -> list[ColumnElement[bool]]:
        if not self.patient_id:
            return []
        # Also by a Patient ID from before a merge.
        return [col(PatientRow.id).in_(keys_named(self.patient_id, self.issuer))]

    def _batches(self) -> Iterator[list[ColumnElement[bool]]]:
        """Yield conditions that together select everything, none of them of too many UIDs."""
        levels: list[tuple[Any, Sequence[str]]] = [
            (col(StudyRow.study_instance_uid), self.study_instance_uids),
            (col(SeriesRow.series_instance_uid), self.series_instance_uids),
            (col(InstanceRow.sop_instance_uid), self.sop_instance_uids),
        ]
        named = [(column, list(dict.fromkeys(uids))) for column, uids in levels if uids]
        # Only the lowest level may be a list: those above it are one value each.
        upper = [column.in_(uids[:PAGE_ROWS]) for column, uids in named[:-1]]
        conditions = [*self._of_patient(), *upper]
        if not named:
            yield conditions
            return
        column, uids = named[-1]
        for start in range(0, len(uids), PAGE_ROWS):
            yield [*conditions, column.in_(uids[start : start + PAGE_ROWS])]


def _page(
    database: Database, conditions: Sequence[ColumnElement[bool]], after: int
) -> list[Selected]:
    columns: tuple[Any, ...] = (
        col(InstanceRow.id),
        col(StudyRow.study_instance_uid),
        col(SeriesRow.series_instance_uid),
        col(InstanceRow.sop_instance_uid),
        col(InstanceRow.sop_class_uid),
        col(InstanceRow.transfer_syntax_uid),
        col(InstanceRow.storage_key),
        col(InstanceRow.digest),
        col(InstanceRow.bytes_removed_at).is_not(None),
    )
    statement = (
        _joined(select(*columns))
        .where(*conditions, col(InstanceRow.id) > after)
        .order_by(col(InstanceRow.id))
        .limit(PAGE_ROWS)
    )
    with database.reading() as session:
        return [Selected(*row) for row in session.execute(statement)]


def _joined(statement: Any) -> Any:
    return (
        statement.select_from(InstanceRow)
        .join(SeriesRow, col(SeriesRow.id) == col(InstanceRow.series_key))
        .join(StudyRow, col(StudyRow.id) == col(SeriesRow.study_key))
        .join(PatientRow, col(PatientRow.id) == col(StudyRow.patient_key))
    )


def check_patient(selection: Selection, database: Database) -> None:
    """Check that a selection means one patient at most.

    Raises
    ------
    RetrieveInvalid
        If issuers share its Patient ID and it names none, nor a study: it could be another's eye.
    """
    if not selection.patient_id or selection.study_instance_uids:
        return
    if selection.patients(database) > 1:
        raise RetrieveInvalid("Several issuers use this Patient ID: name one")
