"""The client of other programs against the real server."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from arcuate_client import Arcuate, NotFound, Refused, Unreachable
from arcuate_client.types import Change

from core.changes import append_change
from core.database import Database
from core.keys import Role, create_key
from core.settings import Settings
from core.tables.changes import ChangeKind
from core.tables.instances import InstanceOutcome
from core.tables.reports import ReportRow
from core.values.identity import InstanceIdentity, PatientIdentity
from dicom_node.storage.bytes import Storage
from tests.builders.archive import keep_instance, keep_prediction
from tests.builders.prediction import Loss, build_prediction
from tests.fixtures.http_server import http_server

_START = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
_DEADLINE_SECONDS = 60


@pytest.fixture
def locked(settings: Settings) -> Settings:
    return settings.model_copy(update={"auth": "keys"})


@pytest.fixture
def key(database: Database) -> str:
    with database.transaction() as session:
        return create_key(session, "clinician", Role.CLINICIAN)


@pytest.fixture
def url(locked: Settings, database: Database) -> Iterator[str]:
    with http_server(locked, database, Storage(locked.storage)) as opened:
        yield opened


@pytest.fixture
def arcuate(url: str, key: str) -> Iterator[Arcuate]:
    with Arcuate(url, key) as opened:
        yield opened


def _keep(database: Database, count: int) -> None:
    with database.transaction() as session:
        for number in range(count):
            prediction = build_prediction(
                prediction_id=f"p{number:03d}",
                patient=PatientIdentity(f"P/{number % 3}", "A", f"Berg^{number % 3}"),
                source=InstanceIdentity(f"1.2.{number}", f"1.3.{number}", f"1.4.{number}"),
                predicted_at=_START + timedelta(seconds=number),
                loss=Loss.ADVANCED if number % 2 else Loss.NONE,
            )
            keep_prediction(session, prediction)


def test_search_goes_from_page_to_page(arcuate: Arcuate, database: Database) -> None:
    _keep(database, 430)

    found = [prediction["id"] for prediction in arcuate.predictions(fields="id")]
    severe = [
        prediction["id"] for prediction in arcuate.predictions(severity="severe", fields="id")
    ]

    assert found == [f"p{number:03d}" for number in reversed(range(430))]
    assert severe == found[::2]
    assert [p["patient_id"] for p in arcuate.patients(name="berg")] == ["P/0", "P/1", "P/2"]
    assert len(list(arcuate.studies(patient_id="P/1"))) == 143


def test_one_of_each(arcuate: Arcuate, database: Database) -> None:
    _keep(database, 4)

    prediction = arcuate.prediction("p003")
    patient = arcuate.patient("P/1", issuer="A")
    study = arcuate.study("1.2.3")

    assert prediction["indices"] is not None
    assert prediction["indices"]["estimated_severity"] == "severe"
    assert (patient["name"], patient["former_ids"]) == ("Berg^1", [])
    assert study["patient"]["patient_id"] == "P/0"


def test_reports_come_in_every_form(
    arcuate: Arcuate, database: Database, locked: Settings, tmp_path: Path
) -> None:
    prediction = build_prediction(prediction_id="p1")
    Storage(locked.storage).put("ab/report.dcm", b"\x00" * 128 + b"DICM...")
    with database.transaction() as session:
        keep_prediction(session, prediction)
        report = keep_instance(
            session,
            prediction.patient,
            replace(prediction.source, sop_instance_uid="1.4.2"),
            outcome=InstanceOutcome.REPORT,
            storage_key="ab/report.dcm",
        )
        session.add(ReportRow(prediction_id="p1", kind="sr", instance_key=report.id))

    assert arcuate.report("p1") == b"\x00" * 128 + b"DICM..."
    assert arcuate.report("p1", "png").startswith(b"\x89PNG")
    assert arcuate.report("p1", "svg").lstrip().startswith(b"<")
    assert b"Bundle" in arcuate.report("p1", "fhir.json")
    saved = arcuate.save_report("p1", "pdf", tmp_path / "page.pdf")
    assert saved.read_bytes().startswith(b"%PDF-")


def test_table_is_written_as_it_comes(arcuate: Arcuate, database: Database, tmp_path: Path) -> None:
    _keep(database, 5)

    table = arcuate.save_table(tmp_path / "severe.csv", severity="severe")

    assert len(table.read_text().splitlines()) == 3
    assert arcuate.save_table(tmp_path / "all.parquet").read_bytes()[:4] == b"PAR1"
    assert list(tmp_path.glob("*.unfinished")) == []
    with pytest.raises(ValueError, match="csv"):
        arcuate.save_table(tmp_path / "all.xlsx")


def test_reviews_are_made_and_read(arcuate: Arcuate, database: Database) -> None:
    _keep(database, 1)

    first = arcuate.review("p000", "accept")
    arcuate.review("p000", "amend", "Better", {"indices": {"mean_deviation": -3.5}})

    reviews = arcuate.reviews("p000")
    assert (first["decision"], first["reviewer"]) == ("accept", "clinician")
    assert [review["decision"] for review in reviews] == ["accept", "amend"]
    assert arcuate.prediction("p000")["review"] == reviews[1]


def test_refusals_say_what_is_wrong(url: str, arcuate: Arcuate) -> None:
    with pytest.raises(NotFound) as missing:
        arcuate.prediction("a/../b")
    with pytest.raises(Refused) as unknown:
        list(arcuate.predictions(fields="eye"))
    with Arcuate(url, "arcuate_wrong") as stranger, pytest.raises(Refused) as locked_out:
        list(stranger.patients())
    with Arcuate("http://127.0.0.1:9") as nowhere, pytest.raises(Unreachable):
        nowhere.patient("P1")

    assert missing.value.status == 404
    assert unknown.value.problem["errors"][0]["parameter"] == "fields"
    assert locked_out.value.status == 401
    assert locked_out.value.kind == "urn:arcuate:problem:not-signed-in"


class _Listener:
    """Takes events in a thread of its own."""

    def __init__(self, arcuate: Arcuate, after: int | None, count: int) -> None:
        self.changes: list[Change] = []
        self._stream = arcuate.events(after)
        self._count = count
        self._came = threading.Condition()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        for change in self._stream:
            with self._came:
                self.changes.append(change)
                self._came.notify_all()
                if len(self.changes) == self._count:
                    return

    def wait_for(self, count: int) -> None:
        with self._came:
            arrived = self._came.wait_for(lambda: len(self.changes) >= count, _DEADLINE_SECONDS)
        assert arrived, self.changes


@contextmanager
def _serving_on(settings: Settings, database: Database, port: int) -> Iterator[None]:
    fixed = settings.model_copy(update={"http_port": port})
    with http_server(fixed, database, Storage(fixed.storage)):
        yield


def _happen(database: Database, *subjects: str) -> None:
    with database.transaction() as session:
        for subject in subjects:
            append_change(session, ChangeKind.PREDICTION_RECORDED, subject)


def test_events_go_on_after_the_node_came_back(
    locked: Settings, database: Database, key: str
) -> None:
    _happen(database, "a", "b")
    with http_server(locked, database, Storage(locked.storage)) as url:
        port = urlsplit(url).port
        assert port is not None
        arcuate = Arcuate(url, key)
        listener = _Listener(arcuate, after=0, count=5)
        listener.wait_for(2)
        _happen(database, "c")
        listener.wait_for(3)
    _happen(database, "d")
    with _serving_on(locked, database, port):
        _happen(database, "e")
        listener.wait_for(5)

    assert [change["subject"] for change in listener.changes] == ["a", "b", "c", "d", "e"]
    assert [change["number"] for change in listener.changes] == [1, 2, 3, 4, 5]
    arcuate.close()


def test_events_beyond_the_record_are_refused(arcuate: Arcuate) -> None:
    with pytest.raises(Refused) as refused:
        next(iter(arcuate.events(after=99)))

    assert refused.value.status == 409


def test_changes_end_where_nothing_more_is(arcuate: Arcuate, database: Database) -> None:
    _happen(database, *(f"s{number}" for number in range(450)))

    assert [change["number"] for change in arcuate.changes(after=10)] == list(range(11, 451))
