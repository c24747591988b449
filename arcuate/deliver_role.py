"""What the process that delivers does, each in a thread of its own."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Final

from arcuate.node import Node
from arcuate.report_process import ReportProcess, report_steps
from core.audit.chaining import ChainLoop
from core.audit.key import read_audit_key
from core.calling_tls import CallingTLS
from core.lookout import Lookout
from core.tracing.following import TraceFollower
from core.tracing.otlp import SpanSender
from core.worker import Step, Worker
from dicom_node.atna.telling import CollectorTeller
from dicom_node.delivery.commitment import CommitmentStep
from dicom_node.delivery.delivering import DeliverStep, run_deliveries
from dicom_node.delivery.echoing import EchoStep
from dicom_node.delivery.reissuing import ReissueStep
from dicom_node.delivery.retaining import RetentionStep, run_retention
from dicom_node.delivery.reviewing import ReviewStep
from dicom_node.measured_fields.step import ReadFieldStep
from dicom_node.rollup.settling import SettleStep
from dicom_node.rollup.watch import RollUp
from dicom_node.storage.archive import open_archive
from dicom_node.storage.retention.policy import policy_of
from dicom_node.webhooks.telling import WebhookTeller

Loop = Callable[[], None]

#: So that one peer which does not answer holds up no other's report.
_COMMITMENT_WORKERS: Final = 2
#: So that one receiver which does not answer holds up no other.
_WEBHOOK_TELLERS: Final = 2


def loops_of(node: Node, process: ReportProcess, stopping: threading.Event) -> list[Loop]:
    """Return the loops of the role; each ends when it is asked to stop.

    Parameters
    ----------
    process
        What draws reports.
    """
    steps = [*_report_steps(node, process), SettleStep(node.database)]
    steps.append(ReadFieldStep(node.database, node.storage))
    steps.append(EchoStep(node.database, node.settings.ae_title, CallingTLS(node.settings)))
    lookout = Lookout(node.database, stopping)
    workers = [
        Worker(node.database, node.settings, step, stopping, lookout=lookout) for step in steps
    ]
    quiet = timedelta(seconds=node.settings.study_quiet_seconds)
    roll_up = RollUp(node.database, node.storage, quiet)
    return [
        lookout.run,
        *(worker.run for worker in workers),
        *_commitments(node, stopping, lookout),
        *_deliveries(node, stopping, lookout),
        _retention(node, stopping),
        partial(roll_up.run, stopping),
        *_webhooks(node, stopping),
        *_audit(node, stopping),
        *_traces(node, stopping),
        *_moves(node, stopping),
    ]


def _report_steps(node: Node, process: ReportProcess) -> Iterator[Step]:
    settings = node.settings
    reports, study_reports = report_steps(settings, node.database, node.storage, process)
    yield reports
    yield ReissueStep(reports, settings.organization)
    yield study_reports
    yield ReviewStep(node.database, node.storage, settings.organization)


def _commitments(node: Node, stopping: threading.Event, lookout: Lookout) -> Iterator[Loop]:
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
        yield Worker(node.database, patient, step, stopping, lookout=lookout).run


def _deliveries(node: Node, stopping: threading.Event, lookout: Lookout) -> Iterator[Loop]:
    step = DeliverStep(node.database, node.storage, node.settings, stopping)
    for _ in range(node.settings.delivery_workers):
        worker = Worker(node.database, node.settings, step, stopping, lookout=lookout)
        yield partial(run_deliveries, worker, step)


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
