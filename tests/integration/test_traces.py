"""One scan's way as a collector sees it, over the real protocol."""

import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from sqlmodel import col, select

from arcuate.finding import Health
from arcuate.monitoring_checks import check_metrics, check_traces
from core.clock import utc_now
from core.database import Database
from core.deliveries.outcomes import Arrived, record_delivered, record_refused
from core.deliveries.planning import plan_deliveries
from core.errors import SettingsInvalid
from core.ledger import claim, fail
from core.predictions import record_prediction
from core.settings import Settings
from core.tables.deliveries import DeliveryRow
from core.tables.destinations import DestinationRow
from core.tables.instances import InstanceRow
from core.tables.jobs import JobKind
from core.tracing.following import TraceFollower
from core.tracing.otlp import SpanSender
from dicom_node.storage.archive import Archive, open_archive
from dicom_node.storage.bytes import Storage
from tests.builders.kept_study import keep_raw, keep_scan, report
from tests.builders.planned_delivery import FACTS, destination
from tests.builders.prediction import build_prediction
from tests.fixtures.otlp_collector import OtlpCollector, otlp_collector


@pytest.fixture
def archive(settings: Settings, database: Database) -> Archive:
    opened = open_archive(settings, database, Storage(settings.storage))
    opened.prepare()
    return opened


@pytest.fixture
def collector() -> Iterator[OtlpCollector]:
    with otlp_collector() as opened:
        yield opened


@pytest.fixture
def follower(database: Database, collector: OtlpCollector) -> Iterator[TraceFollower]:
    sender = SpanSender(collector.url)
    follower = TraceFollower(database, sender)
    assert follower.turn()
    yield follower
    sender.close()


def _go_the_way(archive: Archive, study: str = "1") -> None:
    """Take in, score and report a scan, and deliver the report."""
    now = utc_now()
    key = keep_scan(archive, study, now - timedelta(seconds=9))
    with archive.database.transaction() as session:
        prediction = build_prediction(
            prediction_id=f"p{study}", predicted_at=now - timedelta(seconds=4)
        )
        record_prediction(session, prediction, key, None)
    kept = report(archive, f"p{study}", study)
    with archive.database.transaction() as session:
        plan_deliveries(session, session.get_one(InstanceRow, kept), "sr", [FACTS])
    with archive.database.transaction() as session:
        statement = select(DeliveryRow).where(col(DeliveryRow.instance_key) == kept)
        row = session.exec(statement).one()
        pacs = session.get_one(DestinationRow, row.destination_id)
        record_delivered(session, pacs, row, Arrived("1.2", "1.3"))


def _attributes(span: Span) -> dict[str, str]:
    return {one.key: one.value.string_value for one in span.attributes}


def test_one_trace_holds_the_whole_way(
    archive: Archive, follower: TraceFollower, collector: OtlpCollector
) -> None:
    destination(archive.database)
    _go_the_way(archive)

    assert follower.turn()

    spans = {span.name: span for span in collector.spans}
    assert set(spans) == {"receive", "analyse", "report", "deliver"}
    assert len({span.trace_id for span in spans.values()}) == 1
    root = spans.pop("receive")
    assert root.parent_span_id == b""
    assert {span.parent_span_id for span in spans.values()} == {root.span_id}
    assert len({root.span_id, *(span.span_id for span in spans.values())}) == 4
    took = spans["analyse"].end_time_unix_nano - spans["analyse"].start_time_unix_nano
    assert took == pytest.approx(5e9, abs=1e6)
    assert spans["analyse"].start_time_unix_nano == root.start_time_unix_nano
    assert _attributes(spans["analyse"])["arcuate.model"] == "retinervenet:1.0.0"
    assert _attributes(spans["deliver"])["arcuate.destination"] == "pacs"
    assert {span.status.code for span in spans.values()} == {Status.STATUS_CODE_OK}


def test_no_trace_names_a_patient_or_an_object(
    archive: Archive, follower: TraceFollower, collector: OtlpCollector
) -> None:
    destination(archive.database)
    _go_the_way(archive)
    follower.turn()

    told = "".join(map(str, collector.requests)) + "".join(
        request.SerializeToString().decode("latin-1") for request in collector.requests
    )

    assert "retinervenet" in told
    for private in (
        "Müller",
        "M\\303\\274ller",
        "Sample",
        "P-0001",
        "19580301",
        "1.2.1.1",
        "A1",
        "SN-1",
    ):
        assert private not in told


def test_each_scan_has_its_trace_and_is_told_once(
    archive: Archive, follower: TraceFollower, collector: OtlpCollector
) -> None:
    destination(archive.database)
    _go_the_way(archive, "1")
    _go_the_way(archive, "2")
    follower.turn()
    follower.turn()

    assert len(collector.spans) == 8
    assert len({span.trace_id for span in collector.spans}) == 2
    other = TraceFollower(archive.database, follower.sender)
    other.turn()
    assert len(collector.spans) == 8


def test_what_fails_ends_as_an_error(
    archive: Archive, follower: TraceFollower, collector: OtlpCollector, database: Database
) -> None:
    key = destination(database)
    scan = keep_scan(archive, "1", utc_now())
    with database.transaction() as session:
        (claimed,) = claim(session, JobKind.ANALYSE, "w", 1, 60)
        fail(session, claimed, "Secret^Name broke it", retry=False, maximum_attempts=3)
        record_prediction(session, build_prediction(prediction_id="p1"), scan, None)
    kept = report(archive, "p1", "1")
    with database.transaction() as session:
        plan_deliveries(session, session.get_one(InstanceRow, kept), "sr", [FACTS])
    with database.transaction() as session:
        row = session.exec(select(DeliveryRow)).one()
        record_refused(session, session.get_one(DestinationRow, key), row, "no", {})

    follower.turn()

    failed = [s for s in collector.spans if s.status.code == Status.STATUS_CODE_ERROR]
    assert [(span.name, span.status.message) for span in failed] == [
        ("analyse", "job_failed"),
        ("deliver", "gave_up"),
    ]
    assert "Secret" not in "".join(map(str, collector.requests))


def test_collector_that_comes_back_gets_what_it_missed(
    archive: Archive, follower: TraceFollower, collector: OtlpCollector
) -> None:
    collector.status = 400
    keep_raw(archive, "1", utc_now())
    assert not follower.turn()
    assert collector.spans == []

    collector.status = 200
    keep_raw(archive, "2", utc_now())
    assert follower.turn()

    assert [span.name for span in collector.spans] == ["receive", "receive"]


def test_what_was_before_is_not_told(
    archive: Archive, database: Database, collector: OtlpCollector
) -> None:
    keep_raw(archive, "1", utc_now())
    sender = SpanSender(collector.url)

    assert TraceFollower(database, sender).turn()

    sender.close()
    assert collector.spans == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_setting_without_the_library_is_a_clear_error(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.resources", None)

    with pytest.raises(SettingsInvalid, match="extra `trace`"):
        SpanSender("http://127.0.0.1:4318")
    with pytest.raises(ValueError, match="must begin with http"):
        Settings(home=settings.home, otlp_endpoint="collector:4318")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_doctor_looks_for_the_collector(settings: Settings, collector: OtlpCollector) -> None:
    def look(endpoint: str) -> Health:
        return check_traces(settings.model_copy(update={"otlp_endpoint": endpoint})).health

    assert check_traces(settings).found == "none are sent"
    assert look(collector.url) is Health.GOOD
    assert look("http://127.0.0.1:1") is Health.WRONG


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_doctor_says_who_may_read_the_metrics(settings: Settings) -> None:
    everywhere = settings.model_copy(update={"http_host": "0.0.0.0"})  # noqa: S104 - not served
    closed = everywhere.model_copy(update={"metrics_need_key": True})

    healths = [check_metrics(each).health for each in (settings, everywhere, closed)]
    assert healths == [Health.GOOD, Health.NOTE, Health.GOOD]
