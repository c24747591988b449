import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import pytest
from pydicom import Dataset
from sqlmodel import SQLModel, col, select

from core import ledger
from core.database import Database
from core.keys import Role, create_key
from core.predictions import record_prediction
from core.settings import Settings
from core.tables.changes import ChangeRow
from core.tables.instances import InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.reports import ReportRow
from core.tables.reviews import ReviewRequestRow, ReviewRow
from core.values.identity import InstanceIdentity, PatientIdentity
from core.values.prediction import Prediction, PredictionStatus
from core.worker import Worker
from dicom_node.delivery.reporting import ReportStep
from dicom_node.delivery.reviewing import ReviewStep
from dicom_node.storage.archive import Archive
from dicom_node.storage.bytes import Storage
from dicom_node.storage.retention.holds import holds_of
from dicom_node.storage.retrieve import read_dataset
from reports.equipment import Equipment
from tests.builders.archive import keep_prediction
from tests.builders.opt import build_circle_opt
from tests.builders.prediction import build_prediction
from tests.builders.received import open_test_archive, receive
from tests.fixtures.http_server import http_server
from tests.fixtures.signing_in import sign_in, token_on

_HTML = {"Accept": "text/html"}
_REJECTION = {"decision": "reject", "comment": "Disc drusen."}


@pytest.fixture
def locked(settings: Settings) -> Settings:
    return settings.model_copy(update={"auth": "keys"})


@pytest.fixture
def archive(locked: Settings, database: Database) -> Archive:
    return open_test_archive(locked, database)


@pytest.fixture
def url(locked: Settings, database: Database, archive: Archive) -> Iterator[str]:
    with http_server(locked, database, archive.storage) as address:
        yield address


def sign(url: str, database: Database, name: str, role: Role) -> httpx.Client:
    with database.transaction() as session:
        key = create_key(session, name, role)
    return httpx.Client(timeout=60, base_url=url, headers={"X-API-Key": key})


@pytest.fixture
def clinician(url: str, database: Database) -> Iterator[httpx.Client]:
    with sign(url, database, "dr-ito", Role.CLINICIAN) as client:
        yield client


def keep(database: Database, **changes: Any) -> None:
    with database.transaction() as session:
        keep_prediction(session, build_prediction(prediction_id="p1", **changes))


def rows(database: Database, table: type[SQLModel]) -> Sequence[Any]:
    with database.reading() as session:
        return session.exec(select(table)).all()


def review(client: httpx.Client, body: Any, prediction: str = "p1") -> httpx.Response:
    return client.post(f"/v1/predictions/{prediction}/review", json=body)


def test_decision_is_kept_under_the_name_of_the_key_and_told(
    clinician: httpx.Client, database: Database
) -> None:
    keep(database)

    answer = review(clinician, {"decision": "accept", "comment": "  Fits the disc. "})

    assert answer.status_code == 201
    kept = answer.json()
    assert kept.pop("reviewed_at").endswith("Z")
    assert kept == {
        "number": 1,
        "decision": "accept",
        "comment": "Fits the disc.",
        "amended": None,
        "reviewer": "dr-ito",
    }
    assert clinician.get("/v1/predictions/p1").json()["review"] == answer.json()
    assert clinician.get("/v1/predictions").json()["items"][0]["review"] == answer.json()
    changes = [(c.kind, c.subject) for c in rows(database, ChangeRow)]
    assert changes[-1] == ("prediction_reviewed", "p1")
    (job,) = (job for job in rows(database, JobRow) if job.kind == JobKind.REPORT_REVIEW)
    assert job.subject == rows(database, ReviewRow)[0].id


def test_last_decision_holds_and_none_is_lost(
    url: str, clinician: httpx.Client, database: Database
) -> None:
    keep(database)
    amended = {"assessable": True, "indices": {"mean_deviation": -3.5}}
    review(clinician, {"decision": "amend", "amended": amended})
    with sign(url, database, "chief", Role.ADMINISTRATOR) as chief:
        review(chief, _REJECTION)

    items = clinician.get("/v1/predictions/p1/reviews").json()["items"]

    assert [(i["number"], i["decision"], i["reviewer"]) for i in items] == [
        (1, "amend", "dr-ito"),
        (2, "reject", "chief"),
    ]
    assert items[0]["amended"]["indices"]["mean_deviation"] == -3.5
    assert clinician.get("/v1/predictions/p1").json()["review"] == items[1]


def test_two_who_decide_at_once_are_the_first_and_the_second(
    clinician: httpx.Client, database: Database
) -> None:
    keep(database)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: review(clinician, {"decision": "accept"}), range(6)))

    assert [answer.status_code for answer in answers] == [201] * 6
    assert sorted(answer.json()["number"] for answer in answers) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_other_roles_may_not_decide(url: str, database: Database, role: Role) -> None:
    keep(database)
    with sign(url, database, "someone", role) as client:
        answer = review(client, {"decision": "accept"})

    assert answer.status_code == 403
    assert "clinician or administrator" in answer.json()["detail"]
    assert rows(database, ReviewRow) == []


def test_nobody_decides_where_nobody_has_a_name(settings: Settings, database: Database) -> None:
    keep(database)
    storage = open_test_archive(settings, database).storage
    with http_server(settings, database, storage) as url:
        answer = httpx.post(
            f"{url}/v1/predictions/p1/review", json={"decision": "accept"}, timeout=60
        )
        page = httpx.get(f"{url}/predictions/p1", headers=_HTML, timeout=60).text

    assert answer.status_code == 403
    assert 'value="accept"' not in page


_WRONG: tuple[tuple[Any, str], ...] = (
    ({}, "decision"),
    ({"decision": "maybe"}, "decision"),
    ({"decision": "reject"}, "a rejection needs a comment"),
    ({"decision": "reject", "comment": "   "}, "a rejection needs a comment"),
    ({"decision": "amend"}, "an amendment needs"),
    ({"decision": "amend", "amended": {"indices": {}}}, "an amendment needs"),
    ({"decision": "accept", "amended": {"assessable": True}}, "belongs to the decision"),
    ({"decision": "amend", "amended": {"laterality": "L"}}, "the eye cannot be amended"),
    ({"decision": "amend", "amended": {"sensitivities": []}}, "sensitivities"),
    ({"decision": "amend", "amended": {"indices": {"mean_deviation": 500}}}, "mean_deviation"),
    ({"decision": "accept", "comment": "x" * 2001}, "comment"),
    ({"decision": "accept", "reviewer": "someone else"}, "reviewer"),
    ("accept", "body"),
)


def test_what_is_wrong_is_named(clinician: httpx.Client, database: Database) -> None:
    keep(database)

    for body, told in _WRONG:
        answer = review(clinician, body)

        assert answer.status_code == 422, body
        assert answer.headers["content-type"] == "application/problem+json"
        faults = [f"{e['parameter']}: {e['message']}" for e in answer.json()["errors"]]
        assert any(told in fault for fault in faults), (body, faults)
    assert rows(database, ReviewRow) == []


@pytest.mark.parametrize("status", [PredictionStatus.FAILED, PredictionStatus.SUPERSEDED])
def test_only_a_result_that_stands_is_reviewed(
    clinician: httpx.Client, database: Database, status: PredictionStatus
) -> None:
    keep(database, status=status)

    for answer in (
        review(clinician, {"decision": "accept"}),
        clinician.put("/v1/predictions/p1/review-request", json={}),
    ):
        assert (answer.status_code, answer.json()["type"]) == (
            409,
            "urn:arcuate:problem:not-reviewable",
        )


def test_unknown_prediction_is_not_found(clinician: httpx.Client) -> None:
    assert review(clinician, {"decision": "accept"}, "p9").status_code == 404
    assert clinician.get("/v1/predictions/p9/reviews").status_code == 404
    assert clinician.put("/v1/predictions/p9/review-request", json={}).status_code == 404
    assert clinician.delete("/v1/predictions/p9/review-request").status_code == 404


def test_request_holds_the_study_until_it_is_reviewed(
    clinician: httpx.Client, database: Database
) -> None:
    keep(database)

    def held() -> bool:
        with database.reading() as session:
            return "under_review" in [h.code for h in holds_of(session, [1]).get(1, [])]

    asked = clinician.put("/v1/predictions/p1/review-request", json={"comment": "Please."})
    again = clinician.put("/v1/predictions/p1/review-request", json={"comment": "Again."})
    during = held()
    open_request = clinician.get("/v1/predictions/p1").json()["review_requested"]
    review(clinician, {"decision": "accept"})

    assert (asked.status_code, again.json()) == (200, asked.json())
    assert (during, held()) == (True, False)
    assert open_request == asked.json()
    assert clinician.get("/v1/predictions/p1").json()["review_requested"] is None
    kinds = [change.kind for change in rows(database, ChangeRow)]
    assert kinds[-2:] == ["review_requested", "prediction_reviewed"]


def test_request_can_be_withdrawn(clinician: httpx.Client, database: Database) -> None:
    keep(database)
    clinician.put("/v1/predictions/p1/review-request", json={})

    answers = [clinician.delete("/v1/predictions/p1/review-request") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [204, 204]
    kinds = [change.kind for change in rows(database, ChangeRow)]
    assert kinds[-2:] == ["review_requested", "review_withdrawn"]


def test_person_decides_on_the_page(url: str, database: Database) -> None:
    keep(database)
    with database.transaction() as session:
        key = create_key(session, "dr-ito", Role.CLINICIAN)
    with httpx.Client(timeout=60, base_url=url, headers=_HTML, follow_redirects=True) as browser:
        sign_in(browser, key=key)
        assert 'value="accept"' in browser.get("/predictions/p1").text
        token = {"csrf_token": token_on(browser, "/predictions/p1")}
        browser.post("/predictions/p1/review-request", data=token)
        amendment = {"decision": "amend", "comment": "<b>See</b>", "mean_deviation": "-2.5"}
        first, second = {**token, "seen": 0}, {**token, "seen": 1}
        amended = browser.post("/predictions/p1/review", data={**first, **amendment})
        refused = browser.post("/predictions/p1/review", data={**second, "decision": "reject"})
        asked = browser.get("/")
        rejected = browser.post("/predictions/p1/review", data={**second, **_REJECTION})
        listed = browser.get("/")

    assert amended.status_code == 200
    assert "<b>Amended</b> by dr-ito" in amended.text
    assert "MD −2.5 dB" in amended.text
    assert "<b>See</b>" not in amended.text
    assert refused.status_code == 422
    assert "Check: comment" in refused.text
    assert "This estimate must not be used" in rejected.text
    assert "Amended</span>" in asked.text
    assert "Rejected</span>" in listed.text
    assert [row.decision for row in rows(database, ReviewRow)] == ["amend", "reject"]


@pytest.mark.parametrize("decision", ["accept", "reject"])
@pytest.mark.parametrize("instead", [{"mean_deviation": "-12.5"}, {"assessable": "false"}])
def test_what_only_an_amendment_says_is_never_dropped(
    url: str, database: Database, decision: str, instead: dict[str, str]
) -> None:
    keep(database)
    with database.transaction() as session:
        key = create_key(session, "dr-ito", Role.CLINICIAN)
    with httpx.Client(timeout=60, base_url=url, headers=_HTML) as browser:
        sign_in(browser, key=key)
        token = {"csrf_token": token_on(browser, "/predictions/p1"), "seen": 0}
        form = {**token, **instead, "decision": decision, "comment": "See"}
        refused = browser.post("/predictions/p1/review", data=form)

    assert refused.status_code == 422
    assert "goes with Amend alone" in refused.text
    assert rows(database, ReviewRow) == []


def test_decision_about_what_somebody_decided_meanwhile_is_refused(
    url: str, database: Database, clinician: httpx.Client
) -> None:
    keep(database)
    with database.transaction() as session:
        key = create_key(session, "dr-who", Role.CLINICIAN)
    with httpx.Client(timeout=60, base_url=url, headers=_HTML) as browser:
        sign_in(browser, key=key)
        page = browser.get("/predictions/p1").text
        seen = page.partition('name="seen" value="')[2].partition('"')[0]
        form = {"csrf_token": token_on(browser, "/predictions/p1"), "seen": seen}
        assert review(clinician, _REJECTION).status_code == 201
        refused = browser.post("/predictions/p1/review", data={**form, "decision": "accept"})

    assert refused.status_code == 409
    assert "Somebody decided about this result" in refused.text
    assert [row.decision for row in rows(database, ReviewRow)] == ["reject"]


def test_form_of_another_site_has_no_session(url: str, database: Database) -> None:
    keep(database)

    answer = httpx.post(f"{url}/predictions/p1/review", data={"decision": "accept"}, timeout=60)

    assert answer.status_code == 401
    assert rows(database, ReviewRow) == []


def test_page_of_another_site_asks_for_no_review(settings: Settings, database: Database) -> None:
    """Where `auth` is `none` there is no cookie to be withheld from its form."""
    keep(database)
    path = "/predictions/p1/review-request"
    with http_server(settings, database, Storage(settings.storage)) as url:
        foreign = httpx.post(
            url + path, headers={"Origin": "https://elsewhere.example"}, timeout=60
        )
        assert foreign.status_code == 403
        assert rows(database, ReviewRequestRow) == []
        with httpx.Client(timeout=60, base_url=url, headers={"Origin": url}) as browser:
            assert browser.post(path).status_code == 403
            assert rows(database, ReviewRequestRow) == []
            token = token_on(browser, "/predictions/p1")
            assert browser.post(path, data={"csrf_token": token}).status_code == 303


# The report that follows.


@pytest.fixture
def recorded(archive: Archive) -> Prediction:
    """A result of a kept scan, with the job of its reports."""
    scan = build_circle_opt()
    key = receive(archive, scan)
    uids = scan.StudyInstanceUID, scan.SeriesInstanceUID, scan.SOPInstanceUID
    prediction = replace(
        build_prediction(prediction_id="p1"),
        patient=PatientIdentity("TEST-0001", None, "Test^Eye", None, "F"),
        source=InstanceIdentity(*map(str, uids), "TEST-ACC-1"),
    )
    with archive.database.transaction() as session:
        record_prediction(session, prediction, key, None)
        ledger.enqueue(session, JobKind.REPORT, "p1")
    return prediction


def worker(archive: Archive, settings: Settings, step: Any) -> Worker:
    return Worker(archive.database, settings, step, threading.Event())


@pytest.fixture
def reporting(archive: Archive, settings: Settings) -> Worker:
    step = ReportStep(archive.database, archive.storage, Equipment("1.2.3", "node-1"))
    return worker(archive, settings, step)


@pytest.fixture
def reviewing(archive: Archive, settings: Settings) -> Worker:
    return worker(archive, settings, ReviewStep(archive.database, archive.storage, "Clinic"))


def kept_reports(archive: Archive) -> list[Dataset]:
    with archive.database.reading() as session:
        wanted = select(ReportRow).where(col(ReportRow.kind) == "sr")
        found = session.exec(wanted.order_by(col(ReportRow.version))).all()
        uids = [row.instance_key for row in found]
        return [
            read_dataset(
                session, archive.storage, session.get_one(InstanceRow, key).sop_instance_uid
            )
            for key in uids
        ]


def test_each_review_gets_a_report_that_names_the_one_before(
    archive: Archive,
    clinician: httpx.Client,
    recorded: Prediction,
    reporting: Worker,
    reviewing: Worker,
) -> None:
    review(clinician, {"decision": "accept"})
    review(clinician, _REJECTION)
    # Not before the first report is there; the jobs wait without using up their attempts.
    assert reviewing.run_once() == 1
    with archive.database.transaction() as session:
        for job in session.exec(select(JobRow)).all():
            job.available_at = 0.0
    assert reporting.run_once() == 1
    while reviewing.run_once():
        pass

    first, accepted, rejected = kept_reports(archive)
    assert (first.VerificationFlag, accepted.VerificationFlag) == ("UNVERIFIED", "VERIFIED")
    assert accepted.VerifyingObserverSequence[0].VerifyingObserverName == "dr-ito^"
    assert accepted.VerifyingObserverSequence[0].VerifyingOrganization == "Clinic"
    assert rejected.SeriesDescription.endswith("REJECTED")
    for later, former in ((accepted, first), (rejected, accepted)):
        (study,) = later.PredecessorDocumentsSequence
        (named,) = study.ReferencedSeriesSequence[0].ReferencedSOPSequence
        assert named.ReferencedSOPInstanceUID == former.SOPInstanceUID
        assert later.StudyInstanceUID == recorded.source.study_instance_uid
    assert {job.status for job in rows(archive.database, JobRow) if job.kind != "analyse"} == {
        JobStatus.DONE
    }
    newest = clinician.get("/v1/predictions/p1/report.dcm").content
    assert rejected.SOPInstanceUID.encode() in newest


def test_report_of_a_review_built_twice_is_the_same(
    archive: Archive,
    clinician: httpx.Client,
    recorded: Prediction,
    reporting: Worker,
    reviewing: Worker,
) -> None:
    reporting.run_once()
    review(clinician, {"decision": "accept"})
    reviewing.run_once()
    before = kept_reports(archive)
    with archive.database.transaction() as session:
        (kept,) = session.exec(select(ReviewRow)).all()
        ledger.enqueue(session, JobKind.REPORT_REVIEW, kept.id)

    assert reviewing.run_once() == 1

    assert kept_reports(archive) == before
    assert len(before) == 2


def test_review_whose_first_report_was_never_built_stops_with_the_cause(
    archive: Archive,
    clinician: httpx.Client,
    recorded: Prediction,
    reviewing: Worker,
    database: Database,
) -> None:
    with database.transaction() as session:
        for job in session.exec(select(JobRow)).all():
            job.status = JobStatus.FAILED
    review(clinician, {"decision": "accept"})

    reviewing.run_once()

    (job,) = (job for job in rows(database, JobRow) if job.kind == JobKind.REPORT_REVIEW)
    assert job.status == JobStatus.FAILED
    assert "retry its job first" in job.error
    assert clinician.get("/v1/predictions/p1").json()["review"]["decision"] == "accept"
