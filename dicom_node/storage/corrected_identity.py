"""What a correction that a peer sends says of the patient: written down, and followed."""

from dataclasses import dataclass, field
from typing import Final

from sqlmodel import Session

from core.identities.corrected_values import values_of, write_values
from core.identities.following import let_follow
from core.identities.history import Correction, record_change, was_moved_from
from core.identities.locking import lock_patients, lock_studies
from core.identities.moving import begin_move, tell_move
from core.tables.columns import key_of
from core.tables.identity_changes import ChangeSource, IdentityChangeKind, IdentityChangeRow
from core.tables.patients import PatientRow
from dicom_node.errors import PatientConflict
from dicom_node.storage.corrected_rows import KeptRows
from dicom_node.storage.header import Header
from dicom_node.storage.header_attributes import patient_attributes
from dicom_node.storage.hierarchy import is_same_patient, names_patient, settle_patient
from dicom_node.storage.instances import Arrival

_MOVED: Final = "Sent again with another Patient ID"
_CORRECTED: Final = "Sent again with another name, birth date or sex"


@dataclass
class Told:
    """What the feed is still to be told, last in the transaction."""

    changes: list[tuple[IdentityChangeRow, list[str]]] = field(default_factory=list)

    def tell(self, session: Session) -> None:
        """Tell it."""
        for row, reopened in self.changes:
            tell_move(session, row, reopened)


def follow_correction(
    session: Session, kept: KeptRows, arrival: Arrival
) -> tuple[PatientRow, Told]:
    """Write what an arrival that replaces a kept instance says of its patient.

    Returns
    -------
    tuple of PatientRow and Told
        Whose the study is now: another where the arrival names another.

    Raises
    ------
    PatientConflict
        If the study was moved away from that patient before.
    """
    patient, told = kept.patient, Told()
    connection, header = session.connection(), arrival.header
    study_key = key_of(kept.study)
    if not names_patient(connection, study_key, patient.patient_id, patient.issuer, header):
        target_key, _ = settle_patient(connection, header)
        if was_moved_from(session, study_key, target_key):
            raise PatientConflict
        patient = session.get_one(PatientRow, target_key, populate_existing=True)
        by = _by(arrival, _MOVED)
        # A peer says whose study it is, whatever the former patient was like.
        told.changes.append(begin_move(session, kept.study, patient, by, force=True))
    if is_same_patient(patient.patient_id, patient.issuer, header):
        told.changes += _correct(session, patient, arrival)
    return patient, told


def _correct(
    session: Session, patient: PatientRow, arrival: Arrival
) -> list[tuple[IdentityChangeRow, list[str]]]:
    """Write the patient's attributes over, and what they were into the history.

    The reports of all their studies follow, not only of the one that something was sent of.
    """
    after = _values_in(arrival.header)
    if values_of(patient) == after:
        return []
    patient = lock_patients(session, key_of(patient))[key_of(patient)]
    before = values_of(patient)
    write_values(patient, after)
    row = record_change(
        session,
        IdentityChangeKind.PATIENT_CORRECTED,
        key_of(patient),
        _by(arrival, _CORRECTED),
        details={"before": before, "after": after},
    )
    studies = lock_studies(session, key_of(patient))
    return [(row, let_follow(session, studies, patient, arrival.received_at))]


def _values_in(header: Header) -> dict[str, str | None]:
    said = patient_attributes(header)
    born = said["birth_date"]
    return {
        "name": said["name"],
        "birth_date": born.isoformat() if born else None,
        "sex": said["sex"],
    }


def _by(arrival: Arrival, reason: str) -> Correction:
    peer = arrival.announced.calling_ae_title
    return Correction(reason, peer, ChangeSource.PEER, arrival.received_at)
