import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.clock import utc_now
from core.database import Database
from core.deliveries.destinations import DestinationInvalid
from core.keys import Role, create_key
from core.settings import Settings
from dicom_node.calling_errors import DestinationDown
from dicom_node.delivery.targets.stow_rs import StowRs
from dicom_node.delivery.targets.target import (
    Destination,
    Outgoing,
    Sent,
    Tools,
    Verdict,
)
from dicom_node.storage.archive import Archive
from dicom_node.storage.bytes import Storage
from tests.builders.sent_report import SentReports
from tests.fixtures.http_server import http_server
from tests.fixtures.web_service import Answer, Asked, WebService

TOKEN = "made-up-token"  # noqa: S105 - of no service
OAUTH = {"client_id": "arcuate", "scope": "dicomweb"}


@pytest.fixture
def reports(archive: Archive, settings: Settings) -> SentReports:
    patient = settings.model_copy(update={"delivery_answer_seconds": 5.0, "delivery_attempts": 2})
    return SentReports(archive, patient)


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[Asked], Answer]], WebService]]:
    """Start a service that answers as it is told; it is stopped at the end."""
    stacks: list[Any] = []

    def start(answer: Callable[[Asked], Answer]) -> WebService:
        context = WebService(answer).running()
        stacks.append(context)
        return context.__enter__()

    yield start
    for context in stacks:
        context.__exit__(None, None, None)


Serve = Callable[[Callable[[Asked], Answer]], WebService]


def failed(uid: str, reason: int) -> dict[str, Any]:
    item = {
        "00081155": {"vr": "UI", "Value": [uid]},
        "00081197": {"vr": "US", "Value": [reason]},
    }
    return {"00081198": {"vr": "SQ", "Value": [item]}}


def send(reports: SentReports, service: WebService, **given: Any) -> None:
    reports.add("web", "stow_rs", f"{service.url}/dicom-web", **given)
    reports.keep_reports()
    reports.deliver()


def test_arcuate_takes_reports_with_a_bearer_token(
    reports: SentReports, settings: Settings, database: Database, tmp_path: Path
) -> None:
    """Another node's STOW-RS is the service, and an API key of it the token."""
    pacs = settings.model_copy(update={"home": tmp_path / "pacs", "auth": "keys"})
    with database.transaction() as session:
        key = create_key(session, "arcuate", Role.OPERATOR)
    with http_server(pacs, database, Storage(pacs.storage)) as url:
        reports.add("web", "stow_rs", f"{url}/dicom-web", secret=key)
        reports.keep_reports()
        reports.deliver()

    assert reports.states() == ["delivered", "delivered"]


def test_each_object_goes_whole_in_a_request_of_its_own(reports: SentReports, serve: Serve) -> None:
    service = serve(lambda _asked: (200, {}))
    send(reports, service, secret=TOKEN)

    assert reports.states() == ["delivered", "delivered"]
    assert [asked.path for asked in service.asked] == ["/dicom-web/studies"] * 2
    for asked, row in zip(service.asked, reports.deliveries(), strict=True):
        assert asked.headers["authorization"] == f"Bearer {TOKEN}"
        assert asked.headers["accept"] == "application/dicom+json"
        boundary = asked.headers["content-type"].rpartition("boundary=")[2].encode()
        head, _, rest = asked.body.partition(b"\r\n\r\n")
        assert head == b"--" + boundary + b"\r\nContent-Type: application/dicom"
        content = rest.removesuffix(b"\r\n--" + boundary + b"--\r\n")
        assert content[128:132] == b"DICM"
        assert row.sent_sop_instance_uid is not None
        assert row.sent_sop_instance_uid.encode() in content


UID = "1.2.3.4"


def send_directly(service: WebService, tmp_path: Path) -> Sent:
    """Send one object by the target alone."""
    database = Database(f"sqlite:///{tmp_path / 'none.db'}")
    tools = Tools(Settings(home=tmp_path, delivery_answer_seconds=5.0), database)
    outgoing = Outgoing(1, "1.2.840", UID, "1.2.840.10008.1.2.1", "1.2", lambda: b"an object")
    try:
        [sent] = StowRs().send(Destination("web", "stow_rs", service.url, {}), [outgoing], tools)
    finally:
        database.close()
    return sent


@pytest.mark.parametrize(
    ("status", "reason", "verdict"),
    [
        (409, 0x0122, Verdict.REFUSED),
        (409, 0xC000, Verdict.REFUSED),
        (409, 0xA700, Verdict.FAILED),
        (409, 0x0110, Verdict.FAILED),
        (409, 0x0111, Verdict.DELIVERED),
        (202, 0x0122, Verdict.REFUSED),
        (400, None, Verdict.REFUSED),
        (409, None, Verdict.REFUSED),
        (413, None, Verdict.REFUSED),
        (415, None, Verdict.REFUSED),
        (500, None, Verdict.FAILED),
        (507, None, Verdict.FAILED),
        (520, None, Verdict.FAILED),
        (499, None, Verdict.REFUSED),
    ],
)
def test_what_an_answer_means_for_its_object(
    serve: Serve, tmp_path: Path, status: int, reason: int | None, verdict: Verdict
) -> None:
    content = b"not JSON" if reason is None else failed(UID, reason)

    assert send_directly(serve(lambda _asked: (status, content)), tmp_path).verdict is verdict


@pytest.mark.parametrize("status", [302, 307, 401, 403, 404, 408, 429, 502, 503, 504])
def test_service_in_trouble_is_no_fault_of_an_object(
    serve: Serve, tmp_path: Path, status: int
) -> None:
    with pytest.raises(DestinationDown, match=f"answered {status}"):
        send_directly(serve(lambda _asked: (status, {})), tmp_path)


LOGIN_PAGE = b"<!DOCTYPE html><html><body>Please sign in</body></html>"
XML = b'<?xml version="1.0"?><NativeDicomModel xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM">'


@pytest.mark.parametrize("status", [200, 202])
@pytest.mark.parametrize(
    "page", [LOGIN_PAGE, b"<html/>", b"", b"OK", b"[]", b"true", {"error": "sign in"}]
)
def test_answer_of_something_else_than_the_service_is_not_taken_for_success(
    reports: SentReports, serve: Serve, status: int, page: Any
) -> None:
    send(reports, serve(lambda _asked: (status, page)))

    assert reports.states() == ["waiting", "waiting"]
    down = reports.destination("web")
    assert down.circuit == "open"
    assert str(down.last_error).startswith(
        f"The service answered {status} without a DICOM response"
    )


@pytest.mark.parametrize("document", [{}, [{}], XML + b"</NativeDicomModel>"])
def test_response_that_names_nothing_counts_by_its_status(
    serve: Serve, tmp_path: Path, document: Any
) -> None:
    sent = send_directly(serve(lambda _asked: (200, document)), tmp_path)

    assert (sent.verdict, sent.message) == (Verdict.DELIVERED, "")


def test_failure_told_in_xml_is_read(serve: Serve, tmp_path: Path) -> None:
    item = (
        f'<DicomAttribute tag="00081155" vr="UI"><Value number="1">{UID}</Value></DicomAttribute>'
        '<DicomAttribute tag="00081197" vr="US"><Value number="1">290</Value></DicomAttribute>'
    )
    sequence = (
        f'<DicomAttribute tag="00081198" vr="SQ"><Item number="1">{item}</Item></DicomAttribute>'
    )
    document = XML + sequence.encode() + b"</NativeDicomModel>"

    sent = send_directly(serve(lambda _asked: (202, document)), tmp_path)

    assert (sent.verdict, sent.message) == (
        Verdict.REFUSED,
        "The service gave the failure reason 0x0122",
    )


def test_xml_with_entities_is_not_read(serve: Serve, tmp_path: Path) -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><NativeDicomModel>&b;'

    with pytest.raises(DestinationDown, match="without a DICOM response"):
        send_directly(serve(lambda _asked: (200, bomb + b"</NativeDicomModel>")), tmp_path)


@pytest.mark.parametrize("status", [429, 503])
def test_service_is_left_alone_for_as_long_as_it_asks(
    reports: SentReports, serve: Serve, status: int
) -> None:
    before = utc_now()
    send(reports, serve(lambda _asked: (status, {}, {"Retry-After": "1800"})), report_kinds=["sr"])

    down = reports.destination("web")
    assert (down.circuit, down.last_error) == (
        "open",
        f"The service answered {status} {httpx.codes.get_reason_phrase(status)}",
    )
    assert down.retry_at is not None
    # Three times as long as `delivery_longest_pause_seconds`.
    assert down.retry_at >= before + timedelta(seconds=1800)


def test_failure_of_another_object_is_not_ours(serve: Serve, tmp_path: Path) -> None:
    service = serve(lambda _asked: (202, failed("1.2.3", 0x0122)))

    assert send_directly(service, tmp_path).verdict is Verdict.DELIVERED


def test_warning_is_remarked(serve: Serve, tmp_path: Path) -> None:
    item = {
        "00081155": {"vr": "UI", "Value": [UID]},
        "00081196": {"vr": "US", "Value": [0xB000]},
    }
    kept = {"00081199": {"vr": "SQ", "Value": [item]}}

    sent = send_directly(serve(lambda _asked: (202, kept)), tmp_path)

    assert (sent.verdict, sent.message) == (Verdict.DELIVERED, "The service warned with 0xB000")


def test_service_that_does_not_answer_in_time_is_tried_again(
    reports: SentReports, serve: Serve
) -> None:
    waiting, done = threading.Event(), threading.Event()

    def answer(_asked: Asked) -> Answer:
        if not waiting.is_set():
            waiting.set()
            done.wait(30)
        return 200, {}

    reports.settings = reports.settings.model_copy(update={"delivery_answer_seconds": 3.0})
    service = serve(answer)
    send(reports, service, report_kinds=["sr"])
    done.set()
    assert [row.error for row in reports.deliveries()] == ["The service did not answer in time"]

    reports.hurry()
    reports.deliver()

    assert reports.states() == ["delivered"]


def test_oauth_token_is_asked_for_once_and_renewed_when_it_is_refused(
    reports: SentReports, serve: Serve
) -> None:
    given: list[str] = []

    def answer(asked: Asked) -> Answer:
        if asked.path == "/token":
            given.append(f"token-{len(given)}")
            return 200, {"access_token": given[-1], "expires_in": 3600, "token_type": "Bearer"}
        # The first token was withdrawn.
        return (401, {}) if asked.headers["authorization"] == "Bearer token-0" else (200, {})

    service = serve(answer)
    send(reports, service, secret=TOKEN, token_url=f"{service.url}/token", **OAUTH)

    assert reports.states() == ["delivered", "delivered"]
    tokens = [asked for asked in service.asked if asked.path == "/token"]
    assert given == ["token-0", "token-1"]
    assert tokens[0].form == {"grant_type": "client_credentials", "scope": "dicomweb"}
    assert httpx.BasicAuth("arcuate", TOKEN)._auth_header == tokens[0].headers["authorization"]


@pytest.mark.parametrize("answer", [(400, {"error": TOKEN}), (200, {}), (200, b"no JSON")])
def test_token_service_that_gives_none_is_told_without_the_secret(
    reports: SentReports, serve: Serve, answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    service = serve(lambda _asked: answer)
    send(reports, service, secret=TOKEN, token_url=f"{service.url}/token", **OAUTH)

    down = reports.destination("web")
    assert str(down.last_error).startswith("The token service gave no token")
    assert TOKEN not in str(down.last_error) + capsys.readouterr().out
    assert reports.states() == ["waiting", "waiting"]


def test_nobody_there_opens_the_circuit(reports: SentReports) -> None:
    reports.add("web", "stow_rs", "http://127.0.0.1:1/dicom-web")
    reports.keep_reports()
    reports.deliver()

    down = reports.destination("web")
    assert (down.circuit, down.last_error) == (
        "open",
        "The service cannot be reached (ConnectError)",
    )


def test_probe_tells_whether_somebody_answers(serve: Serve, tmp_path: Path) -> None:
    answers = iter([(200, []), (404, {}), (401, {}), (503, {})])
    service = serve(lambda _asked: next(answers))
    database = Database(f"sqlite:///{tmp_path / 'none.db'}")
    tools = Tools(Settings(home=tmp_path), database)
    web = Destination("web", "stow_rs", service.url, {})

    for _ in range(2):
        StowRs().probe(web, tools)
    for _ in range(2):
        with pytest.raises(DestinationDown):
            StowRs().probe(web, tools)
    database.close()


@pytest.mark.parametrize(
    ("address", "options", "secret"),
    [
        ("pacs/dicom-web", {}, None),
        ("ftp://pacs", {}, None),
        ("https://user:password@pacs/dicom-web", {}, None),
        ("http://pacs.example/dicom-web", {}, TOKEN),
        ("https://pacs.example/dicom-web", {"token_url": "https://idp.example"}, TOKEN),
        ("https://pacs.example/dicom-web", {"token_url": "http://idp.example", **OAUTH}, TOKEN),
        ("https://pacs.example/dicom-web", {"token_url": "https://idp.example", **OAUTH}, None),
        ("https://pacs.example/dicom-web", {"colour": "blue"}, None),
    ],
)
def test_address_and_options_that_cannot_be_used_are_refused(
    address: str, options: dict[str, str], secret: str | None
) -> None:
    with pytest.raises(DestinationInvalid) as caught:
        StowRs().read_options(address, options, secret)

    assert TOKEN not in str(caught.value)
