from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO

import httpx
import numpy as np
import pytest
from PIL import Image

from core.database import Database
from core.ledger import enqueue
from core.settings import Settings
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.peers import RefusedCallerRow
from core.tables.predictions import PredictionRow
from core.tables.quarantine import QuarantineRow
from core.values.identity import InstanceIdentity, PatientIdentity
from core.values.prediction import ESTIMATE_NOTICE, ModelIdentity, PredictionStatus
from core.values.reason import Reason, ReasonCode
from core.values.scan import Device, ScanKind
from dicom_node.storage.bytes import Storage
from tests.builders.archive import keep_instance, keep_prediction
from tests.builders.prediction import build_fundus_prediction, build_prediction
from tests.fixtures.http_server import http_server
from tests.fixtures.parsed_page import ParsedPage

_HTML = {"Accept": "text/html"}
_SEEN = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
_PREVIEW = "previews/ab/scan.png"
_SCRIPTS = ["/static/vendor/htmx.min.js", "/static/unanswered.js"]
_ATTACK = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}"


@pytest.fixture
def storage(settings: Settings) -> Storage:
    kept = Storage(settings.storage)
    picture = BytesIO()
    Image.fromarray(np.zeros((496, 768), np.uint8)).save(picture, "PNG")
    kept.put(_PREVIEW, picture.getvalue())
    return kept


@pytest.fixture
def client(settings: Settings, database: Database, storage: Storage) -> Iterator[httpx.Client]:
    with (
        http_server(settings, database, storage) as url,
        httpx.Client(timeout=60, base_url=url, headers=_HTML) as opened,
    ):
        yield opened


class _Page(ParsedPage):
    """What else these tests look at."""

    def classes(self, tag: str) -> list[str | None]:
        return [attributes.get("class") for name, attributes in self.tags if name == tag]

    def active(self) -> list[str]:
        """Every script, inline style and event handler of the page."""
        scripts = [str(a.get("src")) for tag, a in self.tags if tag == "script"]
        handlers = [
            name for _, a in self.tags for name in a if name.startswith("on") or name == "style"
        ]
        return scripts + handlers


def test_list_shows_each_eye_with_its_result(client: httpx.Client, database: Database) -> None:
    with database.transaction() as session:
        keep_prediction(session, build_prediction(prediction_id="p1"))
        unknown = InstanceIdentity("2.25.101", "2.25.102", "2.25.999")
        keep_prediction(
            session,
            build_prediction(
                prediction_id="p2",
                source=unknown,
                status=PredictionStatus.NOT_ASSESSABLE,
                laterality=None,
            ),
        )

    page = _Page(client.get("/"))

    assert {"/predictions/p1", "/predictions/p2"} <= page.links()
    assert page.classes("span").count("chip final") == 1
    assert page.classes("span").count("chip not_assessable") == 1
    for words in (
        "Sample, Eye P-0001 · Clinic",
        "Scan the eye again",
        "Right eye (OD)",
        "Eye unknown",
        "The signal is 9 dB; below 15 dB no field is estimated.",
        "ESTIMATED, not measured",
        ESTIMATE_NOTICE,
    ):
        assert words in page.text


def test_list_leaves_replaced_results_out(client: httpx.Client, database: Database) -> None:
    with database.transaction() as session:
        keep_prediction(session, build_prediction(prediction_id="p1"))
        session.get_one(PredictionRow, "p1").status = PredictionStatus.SUPERSEDED

    page = _Page(client.get("/"))

    assert "/predictions/p1" not in page.links()
    assert "No scans yet" in page.text


def test_list_tells_of_work_that_waits_or_failed(client: httpx.Client, database: Database) -> None:
    with database.transaction() as session:
        keep_instance(session, PatientIdentity("P1"), InstanceIdentity("1.2", "1.3", "1.4"))
        enqueue(session, JobKind.ANALYSE, "1")
        session.flush()
        job = session.get_one(JobRow, 1)
        job.status, job.error = JobStatus.FAILED, "The model's memory ran out"

    page = _Page(client.get("/"))

    assert "1 failed job" in page.text
    assert "The model's memory ran out" in _Page(client.get("/jobs")).text


def test_list_goes_on_to_older_results(client: httpx.Client, database: Database) -> None:
    with database.transaction() as session:
        for number in range(51):
            source = InstanceIdentity("1.2", "1.3", f"1.4.{number}")
            keep_prediction(
                session, build_prediction(prediction_id=f"p{number:02d}", source=source)
            )

    newest = _Page(client.get("/"))
    (older,) = (link for link in newest.links() if link and link.startswith("/?cursor="))

    assert "/predictions/p01" in newest.links()
    assert "/predictions/p00" not in newest.links()
    assert "/predictions/p00" in _Page(client.get(older)).links()


def test_result_without_an_estimate_explains_itself(
    client: httpx.Client, database: Database
) -> None:
    with database.transaction() as session:
        keep_prediction(
            session,
            build_prediction(prediction_id="p1", status=PredictionStatus.NOT_ASSESSABLE),
            _PREVIEW,
        )

    page = _Page(client.get("/predictions/p1"))

    assert "NO ESTIMATE" in page.text
    assert "Why there is no estimate, and what to do" in page.text
    assert "The signal is 9 dB; below 15 dB no field is estimated. Scan the eye again" in page.text
    assert [name for name in page.classes("svg") if name and name.startswith("field")] == []
    assert "ESTIMATED from OCT" not in page.text


def test_result_says_that_its_scan_was_removed_and_stays_whole(
    client: httpx.Client, database: Database
) -> None:
    prediction = build_prediction()
    with database.transaction() as session:
        row = keep_prediction(session, prediction, _PREVIEW)
    path = f"/predictions/{prediction.prediction_id}"
    before = _Page(client.get(path))
    with database.transaction() as session:
        session.merge(row).bytes_removed_at = _SEEN

    after = _Page(client.get(path))

    assert "Retention removed the scan itself" not in before.text
    assert "Retention removed the scan itself on 2026-03-04" in after.text
    assert after.links() == before.links()
    assert client.get(f"/v1/predictions/{prediction.prediction_id}/bscan.png").status_code == 200


def test_result_says_where_the_norm_is_extrapolated(
    client: httpx.Client, database: Database
) -> None:
    with database.transaction() as session:
        keep_prediction(session, build_prediction(prediction_id="p1", age_years=25.0))

    assert "outside the 42 to 85 years" in _Page(client.get("/predictions/p1")).text


def test_result_that_was_replaced_leads_to_the_newer_one(
    client: httpx.Client, database: Database
) -> None:
    with database.transaction() as session:
        keep_prediction(session, build_prediction(prediction_id="p1"))
        source = InstanceIdentity("1.2", "1.3", "1.4")
        keep_prediction(session, build_prediction(prediction_id="p2", source=source))
        row = session.get_one(PredictionRow, "p1")
        row.status, row.superseded_by = PredictionStatus.SUPERSEDED, "p2"

    page = _Page(client.get("/predictions/p1"))

    assert "/predictions/p2" in page.links()
    assert "This result was replaced." in page.text


def test_text_of_others_is_never_markup(client: httpx.Client, database: Database) -> None:
    reason = Reason(ReasonCode.SIGNAL_TOO_LOW, _ATTACK)
    with database.transaction() as session:
        keep_prediction(
            session,
            build_prediction(
                prediction_id="p1",
                status=PredictionStatus.NOT_ASSESSABLE,
                patient=PatientIdentity(_ATTACK, _ATTACK, _ATTACK, None, _ATTACK),
                source=InstanceIdentity(_ATTACK, _ATTACK, _ATTACK, _ATTACK),
                device=Device(_ATTACK, _ATTACK, _ATTACK),
                model=ModelIdentity(_ATTACK, _ATTACK, _ATTACK),
                reasons=(reason,),
            ),
            _PREVIEW,
        )
        session.add(
            QuarantineRow(
                code=_ATTACK,
                message=_ATTACK,
                calling_ae_title=_ATTACK,
                sop_instance_uid=_ATTACK,
                storage_key="ab/x.dcm",
                size_bytes=7,
                digest="ab",
                received_at=_SEEN,
            )
        )
        session.add(
            RefusedCallerRow(
                calling_ae_title=_ATTACK,
                called_ae_title=_ATTACK,
                address=_ATTACK,
                reason=_ATTACK,
                first_seen_at=_SEEN,
                last_seen_at=_SEEN,
            )
        )
        enqueue(session, JobKind.ANALYSE, "1")
        session.flush()
        job = session.get_one(JobRow, 1)
        job.status, job.error = JobStatus.FAILED, _ATTACK

    paths = ("/", "/predictions/p1", "/quarantine", "/callers", "/jobs")
    pages = {path: _Page(client.get(path)) for path in paths}

    own = {"/": ["/static/live.js"], "/predictions/p1": ["/static/result.js"]}
    assert {path: page.active() for path, page in pages.items()} == {
        path: [*_SCRIPTS, *own.get(path, [])] for path in paths
    }
    assert [path for path, page in pages.items() if _ATTACK[:20] not in page.text] == []
    sources = [a.get("src") for page in pages.values() for tag, a in page.tags if tag == "img"]
    assert sources == ["/predictions/p1/scan.jpg"]


def test_page_that_is_not_there_says_so_in_words(client: httpx.Client) -> None:
    for path in ("/predictions/none", "/nothing"):
        assert "Not Found" in _Page(client.get(path), 404).text


def test_pages_ask_nothing_of_other_hosts(client: httpx.Client, database: Database) -> None:
    with database.transaction() as session:
        keep_prediction(session, build_prediction(prediction_id="p1"), _PREVIEW)

    pages = [_Page(client.get(path)) for path in ("/", "/predictions/p1", "/jobs")]
    style = client.get("/static/style.css").text

    addresses = [
        value
        for page in pages
        for _, attributes in page.tags
        for name, value in attributes.items()
        if name in {"src", "href", "action"} and value
    ]
    assert [address for address in addresses if not address.startswith(("/", "#"))] == []
    assert "url(" not in style
    assert "@import" not in style


def test_result_of_a_photograph_names_it_and_shows_no_profile(
    client: httpx.Client, database: Database
) -> None:
    with database.transaction() as session:
        keep_prediction(session, build_fundus_prediction(prediction_id="p1"), _PREVIEW)

    page, results = _Page(client.get("/predictions/p1")), _Page(client.get("/"))

    assert "ESTIMATED from a fundus photograph, not measured" in page.text
    assert "Weaker than an estimate from OCT" in page.text
    assert "The photograph has no Patient Orientation" in page.text
    assert "Nerve fibre layer" not in page.text
    assert "Fundus photograph" in results.text


@pytest.mark.parametrize("kind", ScanKind)
def test_result_of_every_kind_of_scan_has_its_page_and_pictures(
    client: httpx.Client, database: Database, kind: ScanKind
) -> None:
    """A thickness map has a profile and no borders; a photograph has neither."""
    prediction = build_prediction(prediction_id="p1", scan_kind=kind, layers=None)
    with database.transaction() as session:
        keep_prediction(session, prediction, _PREVIEW)

    answers = [client.get(path) for path in ("/predictions/p1", "/v1/predictions/p1/report.png")]

    assert [answer.status_code for answer in answers] == [200, 200]
