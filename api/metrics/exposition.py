"""From series to the text that Prometheus reads."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from api.metrics.reading import MetricReader
from core.metrics.counting import ABOVE, SUM, Series
from core.metrics.register import BUCKETS_SECONDS, METRICS, Metric, MetricKind

_Values = Mapping[tuple[str, ...], float]


@dataclass(frozen=True)
class _Node(Collector):
    """Our metrics, in the way of the library."""

    reader: MetricReader

    def collect(self) -> Iterator[Family]:
        """Yield every metric that has a value."""
        by_name = _by_name(self.reader.read())
        return (_family(metric, by_name.get(metric.name, {})) for metric in METRICS)


def open_registry(reader: MetricReader) -> CollectorRegistry:
    """Return what is told: this node, and the process that answers."""
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    registry.register(_Node(reader))
    return registry


def expose(registry: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    """Return the text in the form a monitor accepts, and its media type."""
    encode, media_type = choose_encoder(accept)
    return encode(registry), media_type


def _by_name(series: Mapping[Series, float]) -> dict[str, dict[tuple[str, ...], float]]:
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for (name, labels), value in series.items():
        found.setdefault(name, {})[labels] = value
    return found


def _family(metric: Metric, values: _Values) -> Family:
    if metric.kind is MetricKind.HISTOGRAM:
        return _histogram(metric, values)
    kind = CounterMetricFamily if metric.kind is MetricKind.COUNTER else GaugeMetricFamily
    family = kind(metric.name, metric.help, labels=metric.labels)
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family


def _histogram(metric: Metric, values: _Values) -> Family:
    family = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
    for labels in sorted({labels[:-1] for labels in values}):
        count, buckets = 0.0, []
        for limit in (*map(str, BUCKETS_SECONDS), ABOVE):
            # Kept one by one, told as sums up to each limit.
            count += values.get((*labels, limit), 0)
            buckets.append((limit, count))
        family.add_metric(labels, buckets, values.get((*labels, SUM), 0))
    return family
