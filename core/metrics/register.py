"""Every metric of this node: a monitor's contract. Add freely; rename none."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class MetricKind(StrEnum):
    """What a metric is to Prometheus."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True)
class Metric:
    """One metric; `name` is without the suffixes Prometheus adds."""

    name: str
    kind: MetricKind
    help: str
    labels: tuple[str, ...] = ()


class Stage(StrEnum):
    """A stretch of a scan's way."""

    #: From its last byte to its result.
    ANALYSED = "analysed"
    #: From the result to each of its reports.
    REPORTED = "reported"
    #: From a report to its arrival at a destination.
    DELIVERED = "delivered"
    #: From the last byte of the scan to the arrival of a report.
    WHOLE_WAY = "whole_way"


#: Upper limits of the buckets, seconds.
BUCKETS_SECONDS: Final = (
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
    *(300.0, 900.0, 3600.0, 21600.0, 86400.0),
)

_COUNTER, _GAUGE = MetricKind.COUNTER, MetricKind.GAUGE

INSTANCES_RECEIVED: Final = Metric(
    "arcuate_instances_received", _COUNTER, "Objects taken in.", ("sop_class_uid",)
)
BYTES_RECEIVED: Final = Metric("arcuate_received_bytes", _COUNTER, "Bytes of objects taken in.")
OBJECTS_REFUSED: Final = Metric(
    "arcuate_objects_refused", _COUNTER, "Objects kept in quarantine, by cause.", ("cause",)
)
RESULTS: Final = Metric(
    "arcuate_results", _COUNTER, "Results recorded.", ("status", "model", "version")
)
REPORTS_KEPT: Final = Metric("arcuate_reports_kept", _COUNTER, "Reports built and kept.")
DELIVERIES_ENDED: Final = Metric(
    "arcuate_deliveries_ended",
    _COUNTER,
    "Deliveries that arrived, were committed to or were given up.",
    ("destination", "outcome"),
)
JOBS_FAILED: Final = Metric("arcuate_jobs_failed", _COUNTER, "Jobs that stopped.", ("kind",))
STAGE_SECONDS: Final = Metric(
    "arcuate_stage_seconds",
    MetricKind.HISTOGRAM,
    "How long each stretch of a scan's way took; a second scoring of a scan is not among it.",
    ("stage",),
)
#: Counted from the change feed, in the database: every process tells the same.
TOTALS: Final = (
    INSTANCES_RECEIVED,
    BYTES_RECEIVED,
    OBJECTS_REFUSED,
    RESULTS,
    REPORTS_KEPT,
    DELIVERIES_ENDED,
    JOBS_FAILED,
    STAGE_SECONDS,
)

DATABASE_UP: Final = Metric("arcuate_database_up", _GAUGE, "1 where the database answers.")
BEHIND: Final = Metric(
    "arcuate_metrics_behind_changes", _GAUGE, "Changes that the totals do not count yet."
)
JOBS: Final = Metric("arcuate_jobs", _GAUGE, "Jobs that are not done.", ("kind", "state"))
JOB_AGE: Final = Metric(
    "arcuate_job_oldest_waiting_seconds",
    _GAUGE,
    "Age of the oldest job that could run now and does not; 0 where there is none.",
    ("kind",),
)
DELIVERIES: Final = Metric(
    "arcuate_deliveries", _GAUGE, "Deliveries that did not arrive yet.", ("destination", "state")
)
DESTINATION_UP: Final = Metric(
    "arcuate_destination_up", _GAUGE, "1 where nothing says that it is down.", ("destination",)
)
DEVICE_SEEN: Final = Metric(
    "arcuate_device_last_seen_timestamp_seconds",
    _GAUGE,
    "When an object of this device came last.",
    ("device", "manufacturer", "model"),
)
PEER_SEEN: Final = Metric(
    "arcuate_peer_last_object_timestamp_seconds",
    _GAUGE,
    "When this peer sent its last object.",
    ("peer",),
)
PEER_SILENT: Final = Metric(
    "arcuate_peer_silent", _GAUGE, "1 where nothing came of a peer in its time.", ("peer",)
)
ASSOCIATIONS: Final = Metric(
    "arcuate_peer_associations", _COUNTER, "Associations of a peer that ended.", ("peer",)
)
REFUSED_CALLERS: Final = Metric(
    "arcuate_refused_associations", _COUNTER, "Associations that were rejected.", ("reason",)
)
MODEL: Final = Metric(
    "arcuate_model_info", _GAUGE, "1 for each model.", ("kind", "name", "version", "state")
)
REVIEWS_ASKED: Final = Metric(
    "arcuate_reviews_requested", _GAUGE, "Results that somebody is asked to review."
)
QUARANTINE: Final = Metric("arcuate_quarantine_objects", _GAUGE, "Objects kept in quarantine.")
#: Looked up in the database when a monitor asks.
LOOKED_UP: Final = (
    BEHIND,
    JOBS,
    JOB_AGE,
    DELIVERIES,
    DESTINATION_UP,
    DEVICE_SEEN,
    PEER_SEEN,
    PEER_SILENT,
    ASSOCIATIONS,
    REFUSED_CALLERS,
    MODEL,
    REVIEWS_ASKED,
    QUARANTINE,
)

NODE: Final = Metric("arcuate_info", _GAUGE, "1, with the version of this node.", ("version",))
STORAGE_UP: Final = Metric("arcuate_storage_up", _GAUGE, "1 where the storage answers.")
STORAGE_FREE: Final = Metric("arcuate_storage_free_bytes", _GAUGE, "Free space of the storage.")
STORAGE_MINIMUM: Final = Metric(
    "arcuate_storage_minimum_free_bytes", _GAUGE, "With less free space stores are refused."
)
STORAGE_WAITING: Final = Metric(
    "arcuate_storage_waiting_objects", _GAUGE, "Objects that did not move to the bucket yet."
)
STORAGE_WAITING_BYTES: Final = Metric(
    "arcuate_storage_waiting_bytes", _GAUGE, "Bytes of objects that did not move to the bucket yet."
)
STORAGE_WAITING_AGE: Final = Metric(
    "arcuate_storage_oldest_waiting_seconds",
    _GAUGE,
    "Age of the oldest object that did not move to the bucket yet; 0 where none waits.",
)
GPU_MEMORY_USED: Final = Metric(
    "arcuate_gpu_memory_used_bytes", _GAUGE, "Memory in use, of a GPU of this host.", ("gpu",)
)
GPU_MEMORY: Final = Metric(
    "arcuate_gpu_memory_bytes", _GAUGE, "Memory of a GPU of this host.", ("gpu",)
)
GPU_USE: Final = Metric(
    "arcuate_gpu_utilization_ratio", _GAUGE, "Share of time it computed, 0 to 1.", ("gpu",)
)
#: Of the host of the process that answers.
OF_THE_HOST: Final = (
    NODE,
    DATABASE_UP,
    STORAGE_UP,
    STORAGE_FREE,
    STORAGE_MINIMUM,
    STORAGE_WAITING,
    STORAGE_WAITING_BYTES,
    STORAGE_WAITING_AGE,
    GPU_MEMORY_USED,
    GPU_MEMORY,
    GPU_USE,
)

METRICS: Final = (*TOTALS, *LOOKED_UP, *OF_THE_HOST)
