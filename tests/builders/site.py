"""A record in which no page is empty.

keep_operations(session)          devices, peers, callers, work, deliveries, webhooks
keep_results(session, preview)    results of every state, one of them reviewed
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlmodel import Session

from core.clock import utc_now
from core.deliveries.destinations import add_destination
from core.deliveries.planning import plan_deliveries
from core.deliveries.rules import ResultFacts, add_rule
from core.ledger import enqueue
from core.measured_fields import Origin, record_measured_field
from core.model_choice import KnownModel
from core.models import activate_model, register_models, shadow_model
from core.reviews import record_review, request_review
from core.shadow_predictions import ShadowPrediction, record_shadow_prediction
from core.tables.columns import key_of
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.peers import RefusedCallerRow
from core.tables.quarantine import QuarantineRow
from core.tables.sightings import DeviceRow, PeerSightingRow
from core.values.identity import InstanceIdentity, PatientIdentity
from core.values.laterality import Laterality
from core.values.measured_field import FieldSource
from core.values.prediction import ModelIdentity, Prediction, PredictionStatus
from core.values.reason import Reason, ReasonCode
from core.values.review import ReviewDecision, ReviewDraft
from core.values.scan import Device
from core.webhooks import Subscription, add_webhook
from dicom_node.peers import ExpectedRhythm, add_peer
from tests.builders.archive import keep_instance, keep_patient, keep_prediction
from tests.builders.prediction import Loss, build_fundus_prediction, build_prediction
from tests.builders.visits import build_measured_field, keep_visit, keep_visits

_SEEN: Final = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
_DEVICE: Final = {
    "manufacturer": "Maker",
    "first_seen_at": _SEEN,
    "last_seen_at": _SEEN,
    "sop_classes": {"1.2.840.10008.5.1.4.1.1.77.1.5.4": 12},
    "transfer_syntaxes": {"1.2.840.10008.1.2.1": 12},
}
_CARD: Final = {
    "intended_use": "Research and integration testing.",
    "not_for": ["diagnosis", "calling change over time"],
    "limits": ["The figures are on simulated eyes."],
    "notice": "Not clinically validated.",
    "training_data": "Simulated profiles.",
    "trained_age_range_years": [20.0, 92.0],
    "norm": "SUNY-IU",
    "norm_age_range_years": [42.0, 85.0],
    "licence": "Project licence.",
    "figures": [
        {
            "predictor": "retinervenet 1.0.0",
            "mae_db": 2.9,
            "rmse_db": 4.4,
            "mean_sensitivity_mae_db": 1.7,
            "measured_on": "simulated eyes",
        }
    ],
}
_DAYS: Final = ("2026-03-02", "2026-03-03", "2026-03-04")


def keep_results(session: Session, preview: str | None = None) -> dict[str, str]:
    """Keep results of every state; return what the paths of their pages name.

    Parameters
    ----------
    preview
        Storage key of a picture of the scan.
    """
    left = build_prediction(prediction_id="left", laterality=Laterality.LEFT, loss=Loss.ARCUATE)
    keep_prediction(session, left, preview)
    weak = _other("weak", 2, status=PredictionStatus.NOT_ASSESSABLE)
    missing = Reason(ReasonCode.LATERALITY_MISSING, "The scan does not say which eye it is of.")
    unknown = _other(
        "unknown",
        3,
        status=PredictionStatus.NOT_ASSESSABLE,
        laterality=None,
        reasons=(missing,),
        patient=PatientIdentity("P-0003", None, "Yamada^Tarou=山田^太郎"),
    )
    broken = _other("broken", 4, status=PredictionStatus.FAILED)
    photograph = build_fundus_prediction(prediction_id="photograph", source=_source(5))
    for one in (weak, unknown, broken, photograph):
        keep_prediction(session, one)
    right = _other("right", 6, loss=Loss.ADVANCED)
    keep_prediction(session, right, preview)
    rejected = ReviewDraft(ReviewDecision.REJECT, "dr-ito", "Drusen of the optic disc.")
    record_review(session, "right", rejected, _SEEN)
    request_review(session, "left", "technician", "Is the disc in the centre?", _SEEN)
    return {
        "estimated": "left",
        "refused": "weak",
        "rejected": "right",
        "photograph": "photograph",
        "patient": str(keep_patient(session, left.patient).id),
        "visitor": str(keep_visitor(session)),
    }


def keep_visitor(session: Session) -> int:
    """Keep a patient with years of visits, two devices and measured fields; return the key."""
    visitor = PatientIdentity("P-0042", "Clinic", "Yearly^Yves", None, "M")
    for laterality in Laterality:
        keep_visits(session, visitor, laterality)
        last = datetime(2024, 3, 4, 9, 30, tzinfo=UTC)
        values = {"patient": visitor, "laterality": laterality}
        moved = {**values, "device": Device("Maker", "Scanner", "SN-9")}
        keep_visit(session, f"moved-{laterality}", last, -6.0, **moved)
        refused = {**values, "status": PredictionStatus.NOT_ASSESSABLE}
        keep_visit(session, f"refused-{laterality}", last.replace(month=9), None, **refused)
    key = key_of(keep_patient(session, visitor))
    field = build_measured_field(mean_deviation_db=-2.5)
    record_measured_field(session, field, Origin(key, FieldSource.CSV, "yearly"), _SEEN)
    return key


def keep_operations(session: Session) -> None:
    """Keep something for every list of those who look after a node."""
    _keep_models(session)
    _keep_senders(session)
    _keep_work(session)
    _keep_aside(session)
    _keep_receivers(session)


def _source(number: int) -> InstanceIdentity:
    return InstanceIdentity("2.25.101", f"2.25.102.{number}", f"2.25.103.{number}", "ACC0001")


def _other(prediction_id: str, number: int, **values: object) -> Prediction:
    return build_prediction(**{"prediction_id": prediction_id, "source": _source(number), **values})


def _keep_models(session: Session) -> None:
    """Keep a model that scores, with a card, and one that watches, with what it made of scans."""
    active = build_prediction().model
    shadow = ModelIdentity(active.name, "2.0.0", "sha256:" + "2" * 64)
    register_models(
        session,
        [KnownModel(active, "profile", card=_CARD), KnownModel(shadow, "profile")],
        _SEEN,
    )
    activate_model(session, active, active.name, _SEEN)
    shadow_model(session, shadow, active.name, _SEEN)
    lately = utc_now() - timedelta(days=1)
    for number in range(12):
        visit = keep_visit(session, f"scored-{number}", lately, -3.0 - number / 4)
        moved = visit.estimate
        found = ShadowPrediction(f"scored-{number}", shadow, lately, (), moved, -2.8 - number / 4)
        record_shadow_prediction(session, found)


def _keep_senders(session: Session) -> None:
    daily = ExpectedRhythm("24h", "mon-fri")
    add_peer(session, "OCT1", "10.0.0.7", 11112, "Room 3", rhythm=daily)
    add_peer(session, "PACS", "10.0.0.9", 104)
    session.add(
        PeerSightingRow(
            ae_title="OCT1",
            first_seen_at=_SEEN,
            last_object_at=_SEEN,
            last_association_at=_SEEN,
            last_echo_at=_SEEN,
            objects=12,
        )
    )
    for model, offset in (("Punctual", 4.0), ("Ahead", -3600.0), ("Late", 90_000.0)):
        clock = dict.fromkeys(_DAYS, offset)
        session.add(DeviceRow(model=model, serial_number=model, clock_days=clock, **_DEVICE))


def _keep_work(session: Session) -> None:
    wendy = PatientIdentity("P-0007", "Clinic", "Waiting^Wendy")
    waiting = keep_instance(session, wendy, InstanceIdentity("2.25.7", "2.25.7.1", "2.25.7.2"))
    # Later than any worker of a running node looks for it.
    enqueue(session, JobKind.ANALYSE, str(waiting.id), delay_seconds=86_400)
    session.add(
        JobRow(
            kind=JobKind.REPORT,
            subject="none",
            status=JobStatus.FAILED,
            attempts=3,
            available_at=0.0,
            error="The report could not be read back",
            created_at=_SEEN,
            finished_at=_SEEN,
        )
    )


def _keep_aside(session: Session) -> None:
    session.add(
        QuarantineRow(
            code="invalid_instance",
            message="The file has no SOP Instance UID",
            calling_ae_title="OCT1",
            storage_key="ab/x.dcm",
            size_bytes=512,
            digest="ab",
            received_at=_SEEN,
        )
    )
    session.add(
        RefusedCallerRow(
            calling_ae_title="STRANGER",
            called_ae_title="ARCUATE",
            address="10.0.0.66",
            reason="calling_ae_title_not_recognised",
            count=3,
            first_seen_at=_SEEN,
            last_seen_at=_SEEN,
        )
    )


def _keep_receivers(session: Session) -> None:
    pacs = add_destination(session, "pacs", "folder", "/share")
    add_rule(session, pacs)
    nobody = PatientIdentity("P-0008", "Clinic", "Report^Rita")
    report = keep_instance(session, nobody, InstanceIdentity("2.25.8", "2.25.8.1", "2.25.8.2"))
    plan_deliveries(session, report, "sr", [ResultFacts("final", "retinervenet", "1.0.0", "R")])
    add_webhook(session, Subscription("emr", "https://emr.example/hook"), False, _SEEN)
