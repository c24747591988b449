"""`/metrics` as Prometheus reads it, from what really happened in the record."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from sqlmodel import col, select

from core.clock import utc_now
from core.database import Database, database_seconds
from core.deliveries.outcomes import Arrived, record_delivered, record_refused
from core.deliveries.planning import plan_deliveries
from core.keys import Role, create_key
from core.metrics.register import METRICS, MetricKind
from core.metrics.totals import READER, count_changes, read_totals
from core.model_choice import DEFAULT_MODEL
from core.models import register_models
from core.predictions import record_prediction
from core.settings import Settings
from core.tables.deliveries import DeliveryRow
from core.tables.destinations import DestinationRow
from core.tables.feed_positions import FeedPositionRow
from core.tables.instances import InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.peers import PeerRow, RefusedCallerRow
from core.tables.sightings import DeviceRow
from core.values.prediction import PredictionStatus
from dicom_node.errors import PatientIDMissing
from dicom_node.storage.archive import Archive, open_archive
from dicom_node.storage.bytes import Storage
from dicom_node.storage.ingest import ingest
from inference.loading import known_models
from tests.builders.encoded_instance import encode_instance
from tests.builders.kept_study import answer, days_ago, keep_raw, keep_scan, report
from tests.builders.planned_delivery import FACTS, destination
from tests.builders.prediction import build_prediction
from tests.fixtures.http_server import http_server


@pytest.fixture
def archive(settings: Settings, database: Database) -> Archive:
    opened = open_archive(settings, database, Storage(settings.storage))
    opened.prepare()
    return opened


@pytest.fixture
def client(settings: Settings, database: Database, archive: Archive) -> Iterator[httpx.Client]:
    with (
        http_server(settings, database, archive.storage) as url,
        httpx.Client(base_url=url, timeout=30) as opened,
    ):
        yield opened


def _read(client: httpx.Client) -> dict[tuple[str, tuple[str, ...]], float]:
    answered = client.get("/metrics")
    assert answered.status_code == 200, answered.text
    return {
        (sample.name, tuple(sample.labels.values())): sample.value for sample in _samples(answered)
    }


def _samples(answered: httpx.Response) -> list[Sample]:
    families = text_string_to_metric_families(answered.text)
    return [sample for family in families for sample in family.samples]


def test_what_comes_in_is_counted_once_however_often_it_is_asked(
    client: httpx.Client, archive: Archive
) -> None:
    keep_raw(archive, "1", days_ago(1))
    keep_raw(archive, "2", days_ago(1))
    with pytest.raises(PatientIDMissing):
        ingest(archive, encode_instance(PatientID=""))

    first, second = _read(client), _read(client)

    raw = ("1.2.840.10008.5.1.4.1.1.66",)
    assert first["arcuate_instances_received_total", raw] == 2
    assert second["arcuate_instances_received_total", raw] == 2
    assert first["arcuate_received_bytes_total", ()] > 2000
    assert first["arcuate_objects_refused_total", (PatientIDMissing.code,)] == 1
    assert first["arcuate_quarantine_objects", ()] == 1
    assert first["arcuate_metrics_behind_changes", ()] == 0


def test_stages_of_a_scan_are_told_as_histograms(
    client: httpx.Client, archive: Archive, database: Database
) -> None:
    now = utc_now()
    key = keep_scan(archive, "1", now - timedelta(seconds=20))
    with database.transaction() as session:
        prediction = build_prediction(predicted_at=now - timedelta(seconds=8))
        recorded = record_prediction(session, prediction, key, None)
    destination(database)
    _plan(database, report(archive, recorded, "1"))
    _deliver(database)

    read = _read(client)

    assert _bucket(read, "analysed", "10.0") == 0
    assert _bucket(read, "analysed", "30.0") == _bucket(read, "analysed", "+Inf") == 1
    assert _bucket(read, "reported", "5.0") == 0
    assert _bucket(read, "reported", "60.0") == 1
    assert _bucket(read, "delivered", "60.0") == 1
    assert _bucket(read, "whole_way", "10.0") == 0
    assert _bucket(read, "whole_way", "300.0") == 1
    assert read["arcuate_stage_seconds_sum", ("analysed",)] == pytest.approx(12, abs=0.1)
    assert read["arcuate_results_total", ("retinervenet", "final", "1.0.0")] == 1
    assert read["arcuate_deliveries_ended_total", ("pacs", "delivered")] == 1
    assert read["arcuate_reports_kept_total", ()] == 1


def test_second_scoring_years_later_is_no_latency(
    client: httpx.Client, archive: Archive, database: Database
) -> None:
    key = keep_scan(archive, "1", days_ago(400))
    for version, days in (("1.0.0", 399), ("2.0.0", 0)):
        with database.transaction() as session:
            model = build_prediction().model
            prediction = build_prediction(
                prediction_id=version,
                model=type(model)(model.name, version, version),
                predicted_at=days_ago(days),
            )
            record_prediction(session, prediction, key, None)

    assert _bucket(_read(client), "analysed", "+Inf") == 1


def test_what_waits_and_what_failed_is_told_by_kind(
    client: httpx.Client, archive: Archive, database: Database
) -> None:
    answer(archive, keep_scan(archive, "1", days_ago(1)), PredictionStatus.FAILED)
    keep_scan(archive, "2", days_ago(1))
    with database.transaction() as session:
        waiting = session.exec(select(JobRow).where(col(JobRow.subject) == "2")).one()
        waiting.created_at = utc_now() - timedelta(minutes=7)

    read = _read(client)

    assert read["arcuate_jobs", ("analyse", JobStatus.QUEUED)] == 1
    assert read["arcuate_jobs", ("analyse", JobStatus.FAILED)] == 1
    assert read["arcuate_jobs", ("deliver", JobStatus.FAILED)] == 0
    assert read["arcuate_job_oldest_waiting_seconds", ("analyse",)] == pytest.approx(420, abs=60)
    assert read["arcuate_job_oldest_waiting_seconds", ("commit",)] == 0


def test_job_whose_worker_was_lost_waits(
    client: httpx.Client, archive: Archive, database: Database
) -> None:
    keep_scan(archive, "1", days_ago(1))
    with database.transaction() as session:
        job = session.exec(select(JobRow).where(col(JobRow.kind) == JobKind.ANALYSE)).one()
        job.created_at = utc_now() - timedelta(minutes=7)
        job.status, job.lease_until = JobStatus.RUNNING, database_seconds(session) + 300
    held = _read(client)
    with database.transaction() as session:
        job = session.exec(select(JobRow).where(col(JobRow.kind) == JobKind.ANALYSE)).one()
        job.lease_until = database_seconds(session) - 1

    lost = _read(client)

    name, kind = "arcuate_job_oldest_waiting_seconds", ("analyse",)
    assert held[name, kind] == 0
    assert lost[name, kind] == pytest.approx(420, abs=60)


def test_destinations_devices_peers_and_models_are_told(
    client: httpx.Client, archive: Archive, database: Database
) -> None:
    key = destination(database)
    _plan(database, report(archive, answer(archive, keep_scan(archive, "1", days_ago(1))), "1"))
    seen = days_ago(2)
    with database.transaction() as session:
        session.add(
            DeviceRow(
                manufacturer="Maker",
                model="Scanner",
                serial_number="SN-31337",
                institution_name="Hospital-X",
                first_seen_at=seen,
                last_seen_at=seen,
            )
        )
        session.add(PeerRow(ae_title="DEVICE1", host="*", added_at=seen))
        session.add(
            RefusedCallerRow(
                calling_ae_title="STRANGER",
                address="10.0.0.9",
                called_ae_title="ARCUATE",
                reason="calling_ae_title_not_recognised",
                count=5,
                first_seen_at=seen,
                last_seen_at=seen,
            )
        )
        pacs = session.get_one(DestinationRow, key)
        row = session.exec(select(DeliveryRow)).one()
        record_refused(session, pacs, row, "no", {})

    answered = client.get("/metrics")
    read = _read(client)

    assert read["arcuate_deliveries", ("pacs", "gave_up")] == 1
    assert read["arcuate_deliveries_ended_total", ("pacs", "gave_up")] == 1
    assert read["arcuate_destination_up", ("pacs",)] == 1
    assert read["arcuate_peer_silent", ("DEVICE1",)] == 0
    reason = ("calling_ae_title_not_recognised",)
    assert read["arcuate_refused_associations_total", reason] == 5
    device = "arcuate_device_last_seen_timestamp_seconds"
    assert read[device, ("1", "Maker", "Scanner")] == seen.timestamp()
    for private in ("SN-31337", "Hospital-X", "10.0.0.9", "STRANGER", "Müller", "19580301"):
        assert private not in answered.text


def test_model_that_scores_by_its_name_alone_is_told_as_active(
    client: httpx.Client, settings: Settings, database: Database
) -> None:
    with database.transaction() as session:
        register_models(session, known_models(settings))

    told = [labels[:3] for name, labels in _read(client) if name == "arcuate_model_info"]

    assert [labels for labels in told if labels[0] == "profile"] == [
        ("profile", DEFAULT_MODEL, "active")
    ]


def test_storage_whose_disk_is_away_is_told_as_down(client: httpx.Client, archive: Archive) -> None:
    keep_raw(archive, "1", days_ago(1))
    before = _read(client)
    archive.storage.root.rename(archive.storage.root.with_name("unmounted"))
    archive.storage.root.mkdir()

    assert (before["arcuate_storage_up", ()], _read(client)["arcuate_storage_up", ()]) == (1, 0)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_metric_of_the_register_is_told_by_its_name(
    client: httpx.Client, archive: Archive
) -> None:
    text = client.get("/metrics").text

    told = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    suffix = {MetricKind.COUNTER: "_total"}
    assert {metric.name + suffix.get(metric.kind, "") for metric in METRICS} <= told
    assert {"process_resident_memory_bytes", "python_info"} <= told


def test_several_processes_count_nothing_twice(archive: Archive, database: Database) -> None:
    for number in range(60):
        keep_raw(archive, str(number), days_ago(1))
    others = [Database(database.url.render_as_string(hide_password=False)) for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count_changes, others))

    with database.reading() as session:
        position = session.get_one(FeedPositionRow, READER).number
    with database.reading() as session:
        totals = read_totals(session)
    assert totals["arcuate_instances_received", ("1.2.840.10008.5.1.4.1.1.66",)] == 60
    assert position == 60
    for other in others:
        other.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_monitor_is_told_when_database_or_storage_are_away(
    settings: Settings, archive: Archive, tmp_path: Path
) -> None:
    nowhere = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    gone = Storage(f"file://{tmp_path / 'gone' / 'far'}")
    with (
        http_server(settings, nowhere, gone) as url,
        httpx.Client(base_url=url, timeout=30) as client,
    ):
        read = _read(client)
    nowhere.close()

    assert read["arcuate_database_up", ()] == 0
    assert "arcuate_jobs" not in {name for name, _ in read}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_gpus_are_told_where_the_driver_tells_of_them(
    client: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "arcuate_gpu_memory_bytes{" not in client.get("/metrics").text
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho '0, 1024, 40960, 37'\necho '1, [N/A], [N/A], [N/A]'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    read = _read(client)

    assert read["arcuate_gpu_memory_used_bytes", ("0",)] == 1 << 30
    assert read["arcuate_gpu_memory_bytes", ("0",)] == 40 << 30
    assert read["arcuate_gpu_utilization_ratio", ("0",)] == 0.37
    assert ("arcuate_gpu_memory_bytes", ("1",)) not in read
    tool.write_text("#!/bin/sh\nexit 9\n")
    assert "arcuate_gpu_memory_bytes{" not in client.get("/metrics").text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_key_is_needed_where_the_setting_says_so(
    settings: Settings, database: Database, archive: Archive
) -> None:
    with database.transaction() as session:
        key = create_key(session, "prometheus", Role.VIEWER)
    closed = settings.model_copy(update={"auth": "keys", "metrics_need_key": True})
    with (
        http_server(closed, database, archive.storage) as url,
        httpx.Client(base_url=url, timeout=30) as client,
    ):
        assert client.get("/metrics").status_code == 401
        bearer = {"Authorization": f"Bearer {key}"}
        assert client.get("/metrics", headers=bearer).status_code == 200


def _bucket(read: dict[tuple[str, tuple[str, ...]], float], stage: str, limit: str) -> float | None:
    return read.get(("arcuate_stage_seconds_bucket", (limit, stage)))


def _plan(database: Database, instance_key: int) -> None:
    with database.transaction() as session:
        plan_deliveries(session, session.get_one(InstanceRow, instance_key), "sr", [FACTS])


def _deliver(database: Database) -> None:
    with database.transaction() as session:
        row = session.exec(select(DeliveryRow)).one()
        pacs = session.get_one(DestinationRow, row.destination_id)
        record_delivered(session, pacs, row, Arrived("1.2", "1.3"))
