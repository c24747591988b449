"""What the process that delivers does, each in a thread of its own."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Final

from arcuate.node import Node
from core.audit.chaining import ChainLoop
from core.audit.key import read_audit_key
from core.calling_tls import CallingTLS
from core.tracing.following import TraceFollower
from core.tracing.otlp import SpanSender
from core.worker import Step, Worker
from dicom_node.atna.telling import CollectorTeller
from dicom_node.delivery.commitment import CommitmentStep
from dicom_node.delivery.delivering import DeliverStep, run_deliveries
from dicom_node.delivery.echoing import EchoStep
from dicom_node.delivery.reissuing import ReissueStep
from dicom_node.delivery.reporting import ReportStep
from dicom_node.delivery.retaining import RetentionStep, run_retention
from dicom_node.delivery.reviewing import ReviewStep
from dicom_node.delivery.study_reporting import StudyReportStep
from dicom_node.measured_fields.step import ReadFieldStep
from dicom_node.rollup.settling import SettleStep
from dicom_node.rollup.watch import RollUp
from dicom_node.storage.archive import open_archive
from dicom_node.storage.retention.policy import policy_of
from dicom_node.webhooks.telling import WebhookTeller
from reports.register import formats_with
from reports.service import service_equipment

Loop = Callable[[], None]

#: So that one peer which does not answer holds up no other's report.
_COMMITMENT_WORKERS: Final = 2
#: So that one receiver which does not answer holds up no other.
_WEBHOOK_TELLERS: Final = 2


def loops_of(node: Node, stopping: threading.Event) -> list[Loop]:
    """Return the loops of the role; each ends when it is asked to stop."""
    steps = [*_report_steps(node), SettleStep(node.database)]
    steps.append(ReadFieldStep(node.database, node.storage))
    steps.append(EchoStep(node.database, node.settings.ae_title, CallingTLS(node.settings)))
    workers = [Worker(node.database, node.settings, step, stopping) for step in steps]
    quiet = timedelta(seconds=node.settings.study_quiet_seconds)
    roll_up = RollUp(node.database, node.storage, quiet)
    return [
        *(worker.run for worker in workers),
        *_commitments(node, stopping),
        *_deliveries(node, stopping),
        _retention(node, stopping),
        partial(roll_up.run, stopping),
        *_webhooks(node, stopping),
        *_audit(node, stopping),
        *_traces(node, stopping),
        *_moves(node, stopping),
    ]


def _report_steps(node: Node) -> Iterator[Step]:
    settings = node.settings
    equipment = service_equipment(settings)
    formats = formats_with(text=settings.text_reports)
    reports = ReportStep(node.database, node.storage, equipment, formats)
    yield reports
    yield ReissueStep(reports, settings.organization)
    yield StudyReportStep(node.database, node.storage, equipment)
    yield ReviewStep(node.database, node.storage, settings.organization)


def _commitments(node: Node, stopping: threading.Event) -> Iterator[Loop]:
    settings = node.settings
    step = CommitmentStep(
        node.database,
        node.storage,
        settings.ae_title,
        settings.lease_seconds,
        tls=CallingTLS(settings),
    )
    # A peer may be away for longer than any report takes to build.
    patient = settings.model_copy(update={"maximum_attempts": settings.commitment_attempts})
    for _ in range(_COMMITMENT_WORKERS):
        yield Worker(node.database, patient, step, stopping).run


def _deliveries(node: Node, stopping: threading.Event) -> Iterator[Loop]:
    step = DeliverStep(node.database, node.storage, node.settings, stopping)
    for _ in range(node.settings.delivery_workers):
        yield partial(run_deliveries, Worker(node.database, node.settings, step, stopping), step)


def _webhooks(node: Node, stopping: threading.Event) -> Iterator[Loop]:
    for _ in range(_WEBHOOK_TELLERS):
        yield WebhookTeller(node.database, node.settings, stopping).run


def _audit(node: Node, stopping: threading.Event) -> Iterator[Loop]:
    key = read_audit_key(node.settings.audit_key_file)
    yield ChainLoop(node.database, key, stopping, node.settings.home).run
    if node.settings.audit_syslog:
        yield CollectorTeller(node.database, node.settings, stopping).run


def _traces(node: Node, stopping: threading.Event) -> Iterator[Loop]:
    endpoint = node.settings.otlp_endpoint
    if endpoint:
        follower = TraceFollower(node.database, SpanSender(endpoint))
        # Before anybody is told that the role is ready, and sends what should be seen.
        follower.begin()
        yield partial(follower.run, stopping)


def _moves(node: Node, stopping: threading.Event) -> Iterator[Loop]:
    if node.settings.is_bucket:
        # Only where it is used: what talks to a bucket is an extra.
        from dicom_node.delivery.moving import Mover  # noqa: PLC0415
        from dicom_node.storage.bucket_storage import BucketStorage  # noqa: PLC0415

        if isinstance(node.storage, BucketStorage):
            yield Mover(node.storage, stopping).run


def _retention(node: Node, stopping: threading.Event) -> Loop:
    settings = node.settings
    archive = open_archive(settings, node.database, node.storage)
    step = RetentionStep(archive, policy_of(settings), settings.lease_seconds, stopping)
    return partial(run_retention, Worker(node.database, settings, step, stopping), step)
