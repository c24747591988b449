"""Every table, so that the migrations and the tests see the whole schema."""

from sqlmodel import SQLModel

from core.tables.associations import EndedAssociationRow
from core.tables.audit_entries import (
    AuditCollectorRow,
    AuditEntryRow,
    AuditHeadRow,
    AuditPatientRow,
    WaitingAuditRow,
)
from core.tables.changes import ChangeCounterRow, ChangeRow
from core.tables.commitments import CommitmentRow
from core.tables.deliveries import DeliveryCommitmentRow, DeliveryRow
from core.tables.destinations import DeliveryRuleRow, DestinationRow
from core.tables.discarded_files import DiscardedFileRow
from core.tables.feed_positions import FeedPositionRow
from core.tables.identity_changes import IdentityChangeRow
from core.tables.instances import InstanceRow
from core.tables.jobs import JobRow
from core.tables.keys import KeyRow
from core.tables.login_failures import LoginFailureRow
from core.tables.logins import BrowserSessionRow, LoginTokenRow, ProviderLoginRow, SignedOutRow
from core.tables.measured_fields import MeasuredFieldRow
from core.tables.metric_totals import MetricTotalRow
from core.tables.model_changes import ModelChangeRow
from core.tables.models import ModelRow
from core.tables.patients import PatientRow
from core.tables.peers import PeerEchoRow, PeerRow, RefusedCallerRow
from core.tables.predictions import PredictionRow
from core.tables.pseudonym_secrets import PseudonymSecretRow
from core.tables.quarantine import QuarantineRow
from core.tables.reports import ReportRow
from core.tables.rescorings import RescoringRow
from core.tables.reviews import ReviewRequestRow, ReviewRow
from core.tables.series import SeriesRow
from core.tables.shadow_predictions import ShadowPredictionRow
from core.tables.sightings import DeviceRow, PeerSightingRow
from core.tables.studies import StudyRow
from core.tables.study_notices import StudyNoticeRow
from core.tables.study_summaries import StudySummaryRow
from core.tables.summary_reports import SummaryReportRow
from core.tables.tensor_scores import TensorScoreRow
from core.tables.webhooks import WebhookRow

TABLES: tuple[type[SQLModel], ...] = (
    PatientRow,
    StudyRow,
    SeriesRow,
    InstanceRow,
    JobRow,
    RescoringRow,
    PredictionRow,
    ReportRow,
    PeerRow,
    PeerEchoRow,
    RefusedCallerRow,
    QuarantineRow,
    ChangeRow,
    ChangeCounterRow,
    KeyRow,
    LoginTokenRow,
    BrowserSessionRow,
    ProviderLoginRow,
    SignedOutRow,
    LoginFailureRow,
    ModelRow,
    ShadowPredictionRow,
    CommitmentRow,
    DiscardedFileRow,
    StudySummaryRow,
    SummaryReportRow,
    StudyNoticeRow,
    EndedAssociationRow,
    FeedPositionRow,
    PeerSightingRow,
    DeviceRow,
    DestinationRow,
    DeliveryRuleRow,
    DeliveryRow,
    DeliveryCommitmentRow,
    MeasuredFieldRow,
    ReviewRow,
    ReviewRequestRow,
    WebhookRow,
    WaitingAuditRow,
    AuditEntryRow,
    AuditPatientRow,
    AuditHeadRow,
    AuditCollectorRow,
    IdentityChangeRow,
    PseudonymSecretRow,
    MetricTotalRow,
    TensorScoreRow,
    ModelChangeRow,
)
