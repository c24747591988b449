"""The rows of an instance that is replaced: written over, and what came of the former redone."""

from typing import Any, NamedTuple

from sqlmodel import Session, SQLModel

from core.measured_fields import forget_measured_fields
from core.predictions import supersede_predictions
from core.recall import begin_anew, interrupt, withdraw
from core.reviews import let_replaced_go
from core.tables.columns import key_of
from core.tables.instances import InstanceOutcome, InstanceRow
from core.tables.jobs import JobKind
from core.tables.patients import PatientRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow
from dicom_node.devices.input_class import is_measured_field, is_oct_scan, is_photograph
from dicom_node.storage.header_attributes import series_attributes, study_attributes
from dicom_node.storage.instances import Arrival, content_attributes
from dicom_node.storage.records import first_outcome
from dicom_node.storage.retrieve import received_with


class KeptRows(NamedTuple):
    """The record of an instance with whose it is."""

    instance: InstanceRow
    series: SeriesRow
    study: StudyRow
    patient: PatientRow


def correct(session: Session, kept: KeptRows, arrival: Arrival) -> list[str]:
    """Write an arrival over the record, and have everything that came of the former redone.

    The patient's row is not written: `follow_correction` does, with its history.

    Returns
    -------
    list of str
        The predictions of which a review was asked for, which is none any more.
    """
    header, instance = arrival.header, kept.instance
    _fill(kept.study, study_attributes(header))
    _fill(kept.series, series_attributes(header))
    _fill(instance, _instance_attributes(arrival))
    session.flush()
    redone = (instance, *_judged_beside(session, instance))
    return [withdrawn for one in redone for withdrawn in _redo(session, one)]


def _judged_beside(session: Session, instance: InstanceRow) -> list[InstanceRow]:
    """Return the scans that may lean on a photograph, or the photographs that may be a scan's."""
    pairs = ((is_photograph, is_oct_scan), (is_oct_scan, is_photograph))
    others = [other for own, other in pairs if own(instance.sop_class_uid)]
    beside = received_with(session, instance) if others else []
    # Without its bytes none could be judged anew, and its result outlives them.
    found = [
        one
        for one in beside
        if one.bytes_removed_at is None and any(is_other(one.sop_class_uid) for is_other in others)
    ]
    for one in found:
        one.outcome, one.outcome_message = InstanceOutcome.PENDING, ""
    return found


def _redo(session: Session, instance: InstanceRow) -> list[str]:
    key = key_of(instance)
    # The jobs first: an analysis of the former that is just being recorded either is there when its
    # prediction is looked for, or finds its claim lost.
    if instance.outcome == InstanceOutcome.PENDING:
        begin_anew(session, JobKind.ANALYSE, str(key))
    else:
        withdraw(session, JobKind.ANALYSE, [str(key)])
    interrupt(session, JobKind.RESCORE, str(key))
    if is_measured_field(instance.sop_class_uid):
        begin_anew(session, JobKind.READ_FIELD, str(key))
        forget_measured_fields(session, key)
    replaced = supersede_predictions(session, key)
    withdraw(session, JobKind.REPORT, replaced)
    # The report of what is scored anew names theirs as those it replaces.
    withdraw(session, JobKind.REISSUE, replaced)
    return let_replaced_go(session, replaced)


def _instance_attributes(arrival: Arrival) -> dict[str, Any]:
    return {
        **content_attributes(arrival, first_outcome(arrival.header)),
        "sent_again_at": None,
        "bytes_removed_at": None,
        "removal_reason": None,
    }


def _fill(row: SQLModel, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)
