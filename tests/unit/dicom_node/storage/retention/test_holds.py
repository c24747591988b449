from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import col, select

from core import ledger
from core.deliveries.destinations import add_destination
from core.tables.columns import key_of
from core.tables.commitments import CommitmentRow
from core.tables.deliveries import DeliveryRow, DeliveryState
from core.tables.instances import InstanceOrigin, InstanceRow
from core.tables.jobs import JobKind, JobStatus
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow
from core.tables.study_summaries import StudySummaryRow
from core.values.prediction import PredictionStatus
from dicom_node.storage.accept_list import OPHTHALMIC_TOMOGRAPHY
from dicom_node.storage.archive import Archive
from dicom_node.storage.commitments import (
    CommitmentRequest,
    InstanceReference,
    record_request,
    settle_request,
)
from dicom_node.storage.retention.holds import HOLDS, holds_of
from tests.builders.kept_study import (
    NOW,
    answer,
    end_job,
    keep_raw,
    keep_scan,
    keep_settled,
    report,
)

STUDY = "7"


def held_by(archive: Archive) -> set[str]:
    with archive.database.reading() as session:
        uid = StudyRow.study_instance_uid == f"1.2.{STUDY}"
        key = session.exec(select(StudyRow.id).where(uid)).one()
        assert session.exec(select(SeriesRow.id)).first() is not None
        return {hold.code for hold in holds_of(session, [key, key + 1000])[key]}


def scan_waits(archive: Archive) -> None:
    keep_scan(archive, STUDY, NOW)


def scan_is_at_work(archive: Archive) -> None:
    keep_scan(archive, STUDY, NOW)
    with archive.database.transaction() as session:
        ledger.claim(session, JobKind.ANALYSE, "worker", 1, 60.0)


def report_waits(archive: Archive) -> None:
    answer(archive, keep_scan(archive, STUDY, NOW))


def report_failed(archive: Archive) -> None:
    prediction_id = answer(archive, keep_scan(archive, STUDY, NOW))
    end_job(archive, JobKind.REPORT, prediction_id, JobStatus.FAILED)


def analysis_failed(archive: Archive) -> None:
    answer(archive, keep_scan(archive, STUDY, NOW), PredictionStatus.FAILED)


def failure_is_reported(archive: Archive) -> None:
    scan = keep_scan(archive, STUDY, NOW)
    report(archive, answer(archive, scan, PredictionStatus.FAILED), STUDY)


def settled(archive: Archive) -> None:
    keep_settled(archive, STUDY, NOW)


def not_assessable(archive: Archive) -> None:
    scan = keep_scan(archive, STUDY, NOW)
    report(archive, answer(archive, scan, PredictionStatus.NOT_ASSESSABLE), STUDY)


def not_for_a_model(archive: Archive) -> None:
    keep_raw(archive, STUDY, NOW)


def scored_anew(archive: Archive) -> None:
    scan, _ = keep_settled(archive, STUDY, NOW)
    with archive.database.transaction() as session:
        ledger.enqueue(session, JobKind.ANALYSE, str(scan))


def scoring_anew_failed(archive: Archive) -> None:
    """The first answer stands."""
    scan, _ = keep_settled(archive, STUDY, NOW)
    end_job(archive, JobKind.ANALYSE, str(scan), JobStatus.FAILED)


def reported_anew(archive: Archive) -> None:
    keep_settled(archive, STUDY, NOW)
    with archive.database.transaction() as session:
        (prediction_id,) = session.connection().exec_driver_sql("SELECT id FROM predictions").one()
        ledger.enqueue(session, JobKind.REPORT, prediction_id)


def beside_one_that_waits(archive: Archive) -> None:
    keep_settled(archive, STUDY, NOW)
    keep_scan(archive, STUDY, NOW, number=2)


def other_study_waits(archive: Archive) -> None:
    keep_settled(archive, STUDY, NOW)
    keep_scan(archive, "70", NOW)


def ask(archive: Archive, uid: str) -> int:
    named = (
        InstanceReference(OPHTHALMIC_TOMOGRAPHY, "1.2.9.9"),
        InstanceReference(OPHTHALMIC_TOMOGRAPHY, uid),
    )
    request = CommitmentRequest("DEVICE1", "127.0.0.1", "1.2.3.99", named)
    with archive.database.transaction() as session:
        return record_request(session, request, NOW, 0.0)


def commitment_is_asked(archive: Archive) -> None:
    keep_settled(archive, STUDY, NOW)
    ask(archive, f"1.2.{STUDY}.1.1")


def commitment_of_another_is_asked(archive: Archive) -> None:
    """Its UID begins like ours."""
    keep_settled(archive, STUDY, NOW)
    ask(archive, f"1.2.{STUDY}.1.12")


def commitment_failed(archive: Archive) -> None:
    keep_settled(archive, STUDY, NOW)
    key = ask(archive, f"1.2.{STUDY}.1.1")
    end_job(archive, JobKind.COMMIT, str(key), JobStatus.FAILED)


def commitment_is_answered(archive: Archive) -> None:
    keep_settled(archive, STUDY, NOW)
    key = ask(archive, f"1.2.{STUDY}.1.1")
    with archive.database.transaction() as session:
        settle_request(session, key, NOW, 0)
        assert session.get_one(CommitmentRow, key).reported_at == NOW


def on_its_way(archive: Archive) -> None:
    _deliver_report(archive, DeliveryState.WAITING)


def delivered(archive: Archive) -> None:
    _deliver_report(archive, DeliveryState.DELIVERED)


def given_up(archive: Archive) -> None:
    _deliver_report(archive, DeliveryState.GAVE_UP)


def dismissed(archive: Archive) -> None:
    _deliver_report(archive, DeliveryState.GAVE_UP, dismissed_at=NOW)


def other_report_is_on_its_way(archive: Archive) -> None:
    keep_settled(archive, STUDY, NOW)
    _deliver_report(archive, DeliveryState.WAITING, "70")


def _deliver_report(
    archive: Archive, state: DeliveryState, study: str = STUDY, **values: Any
) -> None:
    keep_settled(archive, study, NOW)
    with archive.database.transaction() as session:
        destination = add_destination(session, "pacs", "folder", "/share")
        statement = (
            select(InstanceRow)
            .join(SeriesRow, col(SeriesRow.id) == InstanceRow.series_key)
            .join(StudyRow, col(StudyRow.id) == SeriesRow.study_key)
            .where(StudyRow.study_instance_uid == f"1.2.{study}")
            .where(InstanceRow.origin == InstanceOrigin.PRODUCED)
        )
        for instance in session.exec(statement).all():
            session.add(
                DeliveryRow(
                    destination_id=key_of(destination),
                    instance_key=key_of(instance),
                    report_kind="sr",
                    state=state,
                    created_at=NOW,
                    **values,
                )
            )


def report_of_both_eyes(archive: Archive, end: JobStatus) -> None:
    """Let the job of the report of both eyes stand so."""
    scan, _ = keep_settled(archive, STUDY, NOW)
    with archive.database.transaction() as session:
        series = session.get_one(InstanceRow, scan).series_key
        study_key = session.get_one(SeriesRow, series).study_key
        summary = StudySummaryRow(study_key=study_key, opened_at=NOW, changed_at=NOW)
        session.add(summary)
        session.flush()
        subject = str(summary.id)
        ledger.enqueue(session, JobKind.REPORT_STUDY, subject)
    end_job(archive, JobKind.REPORT_STUDY, subject, end)


def both_eyes_wait(archive: Archive) -> None:
    report_of_both_eyes(archive, JobStatus.QUEUED)


def both_eyes_are_reported(archive: Archive) -> None:
    report_of_both_eyes(archive, JobStatus.DONE)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (on_its_way, {"not_delivered"}),
        (delivered, set()),
        (given_up, {"not_delivered"}),
        (dismissed, set()),
        (other_report_is_on_its_way, set()),
        (scan_waits, {"not_scored"}),
        (scan_is_at_work, {"not_scored"}),
        (report_waits, {"not_reported"}),
        (report_failed, {"not_reported"}),
        (analysis_failed, {"no_answer", "not_reported"}),
        (failure_is_reported, {"no_answer"}),
        (settled, set()),
        (not_assessable, set()),
        (not_for_a_model, set()),
        (scored_anew, {"not_scored"}),
        (scoring_anew_failed, set()),
        (reported_anew, {"not_reported"}),
        (both_eyes_wait, {"both_eyes_not_reported"}),
        (both_eyes_are_reported, set()),
        (beside_one_that_waits, {"not_scored"}),
        (other_study_waits, set()),
        (commitment_is_asked, {"commitment_unanswered"}),
        (commitment_of_another_is_asked, set()),
        (commitment_failed, {"commitment_unanswered"}),
        (commitment_is_answered, set()),
    ],
)
def test_what_holds_a_study(
    archive: Archive, make: Callable[[Archive], None], expected: set[str]
) -> None:
    make(archive)

    assert held_by(archive) == expected


def test_every_hold_has_a_code_of_its_own_and_says_what_it_means() -> None:
    assert len({hold.code for hold in HOLDS}) == len(HOLDS)
    assert all(hold.meaning for hold in HOLDS)
