"""A real node with a monitor and a collector beside it: one scan from device to destination."""

from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile

import pytest
from prometheus_client.parser import text_string_to_metric_families

from arcuate.waiting import wait_until
from core.deliveries.destinations import add_destination
from core.deliveries.rules import add_rule
from core.settings import Settings
from tests.conformance.test_sample_dicom import SAMPLES
from tests.fixtures.node import PATIENCE_SECONDS, RunningNode, running_node
from tests.fixtures.otlp_collector import OtlpCollector, otlp_collector

_SCAN = SAMPLES / "healthy" / "right_oct.dcm"
_LOCALIZER = SAMPLES / "healthy" / "right_localizer_op.dcm"


@pytest.fixture(scope="module")
def collector() -> Iterator[OtlpCollector]:
    with otlp_collector() as opened:
        yield opened


@pytest.fixture(scope="module")
def node(
    collector: OtlpCollector, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningNode]:
    home = tmp_path_factory.mktemp("monitored")
    copyfile(sqlite_template, home / "arcuate.db")
    (home / "share").mkdir()
    settings = Settings(
        home=home,
        dicom_port=0,
        http_port=0,
        auth="none",
        log_level="warning",
        otlp_endpoint=collector.url,
    )
    with running_node(settings) as running:
        with running.database.transaction() as session:
            row = add_destination(session, "share", "folder", str(home / "share"))
            add_rule(session, row)
        yield running


def _metrics(node: RunningNode) -> dict[str, float]:
    families = text_string_to_metric_families(node.client.get("/metrics").text)
    samples = [sample for family in families for sample in family.samples]
    return {f"{s.name}{sorted(s.labels.items())}": s.value for s in samples}


def test_monitor_and_collector_see_the_scan_go_its_way(
    node: RunningNode, collector: OtlpCollector
) -> None:
    sent = node.send(_LOCALIZER, _SCAN)
    assert {one.status for one in sent} == {0}, sent

    def names() -> set[str]:
        return {span.name for span in collector.spans}

    whole = {"receive", "analyse", "report", "deliver"}
    assert wait_until(lambda: names() == whole, PATIENCE_SECONDS), (names(), node.get("/v1/jobs"))
    read = _metrics(node)

    of_scan = {span.trace_id for span in collector.spans if span.name == "analyse"}
    assert len(of_scan) == 1
    assert {s.name for s in collector.spans if s.trace_id in of_scan} == whole
    bucket = "arcuate_stage_seconds_bucket[('le', '+Inf'), ('stage', 'whole_way')]"
    assert read[bucket] >= 1
    received = {k: v for k, v in read.items() if k.startswith("arcuate_instances_received_total")}
    assert sum(received.values()) == 2
    assert read["arcuate_database_up[]"] == 1
    assert any(k.startswith("arcuate_results_total") and "final" in k for k in read)


def test_neither_names_the_patient(node: RunningNode, collector: OtlpCollector) -> None:
    told = node.client.get("/metrics").text + "".join(map(str, collector.requests))

    assert "Sample^" not in told
    assert "SAMPLE-" not in told
