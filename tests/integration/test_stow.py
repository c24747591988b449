from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from io import BytesIO
from typing import Any

import httpx
import pytest
from dicomweb_client import DICOMwebClient
from pydicom import Dataset, dcmread
from sqlmodel import SQLModel, func, select

from core.database import Database
from core.keys import Role, create_key, revoke_key
from core.settings import Settings
from core.tables.instances import InstanceRow
from core.tables.jobs import JobRow
from core.tables.quarantine import QuarantineRow
from dicom_node.storage.bytes import Storage
from tests.builders.encoded_instance import as_file, encode_instance
from tests.builders.store_body import BOUNDARY, content_type, multipart, multipart_chunks
from tests.fixtures.audit_trail import audited
from tests.fixtures.http_server import http_server

STUDIES = "/dicom-web/studies"
MIB = 1 << 20
_XML_PARTS = f'multipart/related; type="application/dicom+xml"; boundary={BOUNDARY}'


@dataclass(frozen=True)
class Server:
    """A server that answers, with a key in every request of `client`."""

    client: httpx.Client
    database: Database
    storage: Storage

    def store(self, *files: bytes, path: str = STUDIES, **headers: str) -> httpx.Response:
        body, announced = multipart(*files)
        return self.client.post(path, content=body, headers=announced | headers)

    def count(self, table: type[SQLModel]) -> int:
        with self.database.reading() as session:
            return session.exec(select(func.count()).select_from(table)).one()

    def kept(self) -> dict[str, InstanceRow]:
        with self.database.reading() as session:
            rows = session.exec(select(InstanceRow)).all()
        return {row.sop_instance_uid: row for row in rows}


@pytest.fixture
def server(settings: Settings, database: Database) -> Iterator[Server]:
    limits = {"auth": "keys", "maximum_object_mib": 1, "trusted_proxies": "127.0.0.1"}
    locked = settings.model_copy(update=limits)
    storage = Storage(locked.storage)
    storage.prepare()
    with database.transaction() as session:
        key = create_key(session, "clinic", Role.OPERATOR)
    with (
        http_server(locked, database, storage) as url,
        httpx.Client(base_url=url, headers={"X-API-Key": key}, timeout=30) as client,
    ):
        yield Server(client, database, storage)


def file(number: int = 1, study: str = "1.2.3.1", **keywords: Any) -> bytes:
    uids = {"StudyInstanceUID": study, "SeriesInstanceUID": f"{study}.1"}
    instance = {"SOPInstanceUID": f"{study}.1.{number}"}
    return as_file(encode_instance(**uids, **instance, **keywords))


def module(answer: httpx.Response) -> Dataset:
    """Return the Store Instances Response Module of an answer."""
    assert answer.headers["content-type"] == "application/dicom+json"
    return Dataset.from_json(answer.json())


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Return status and type of a problem document."""
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].removeprefix("urn:arcuate:problem:")


def referenced(response: Dataset) -> list[str]:
    return [item.ReferencedSOPInstanceUID for item in response.get("ReferencedSOPSequence", [])]


def failures(response: Dataset) -> list[tuple[str, int]]:
    named = response.get("FailedSOPSequence", [])
    other = response.get("OtherFailuresSequence", [])
    return [(item.get("ReferencedSOPInstanceUID", ""), item.FailureReason) for item in named] + [
        ("", item.FailureReason) for item in other
    ]


def test_one_object_is_kept_as_received_and_analysed(server: Server) -> None:
    encoded = encode_instance()

    answer = server.store(as_file(encoded))

    assert answer.status_code == 200
    response = module(answer)
    study = str(server.client.base_url.join("/dicom-web/studies/1.2.3.1"))
    [item] = response.ReferencedSOPSequence
    assert response.RetrieveURL == study
    assert item.RetrieveURL == f"{study}/series/1.2.3.1.1/instances/1.2.3.1.1.1"
    assert item.ReferencedSOPClassUID == encoded.sop_class_uid
    row = server.kept()["1.2.3.1.1.1"]
    assert server.storage.read(row.storage_key).endswith(encoded.data_set)
    assert (row.calling_ae_title, server.count(JobRow)) == ("clinic", 1)


def test_many_objects_are_kept_in_one_request(server: Server) -> None:
    uids = [f"1.2.3.1.1.{number}" for number in range(1, 41)]

    answer = server.store(*(file(number) for number in range(1, 41)))

    assert answer.status_code == 200
    assert referenced(module(answer)) == uids
    assert set(server.kept()) == set(uids)


def test_objects_of_several_studies_are_kept(server: Server) -> None:
    answer = server.store(file(), file(study="1.2.3.2"))

    response = module(answer)
    assert (answer.status_code, len(response.ReferencedSOPSequence)) == (200, 2)
    assert response.RetrieveURL == ""


def test_the_same_again_is_harmless(server: Server) -> None:
    first, second, twice = server.store(file()), server.store(file()), server.store(file(), file())

    assert [answer.status_code for answer in (first, second, twice)] == [200, 200, 200]
    assert second.content == first.content
    assert referenced(module(twice)) == ["1.2.3.1.1.1"] * 2
    assert (len(server.kept()), server.count(JobRow)) == (1, 1)


def test_requests_at_once_are_settled(server: Server) -> None:
    with ThreadPoolExecutor(8) as senders:
        answers = list(senders.map(lambda number: server.store(file(0), file(number)), range(1, 9)))

    assert [answer.status_code for answer in answers] == [200] * 8
    assert (len(server.kept()), server.count(JobRow)) == (9, 9)


def test_other_content_under_the_same_uid_is_a_conflict(server: Server) -> None:
    server.store(file())

    answer = server.store(file(PixelData=b"abcd"))

    assert answer.status_code == 409
    assert failures(module(answer)) == [("1.2.3.1.1.1", 0xC101)]
    assert server.count(QuarantineRow) == 1


def test_one_bad_object_of_three_stops_no_other(server: Server) -> None:
    for bad, expected in [
        (file(2, PatientID=None), ("1.2.3.1.1.2", 0xC000)),
        (file(2)[:600], ("1.2.3.1.1.2", 0xC000)),
        (file(2, SOPClassUID="1.2.840.10008.5.1.4.1.1.2"), ("1.2.3.1.1.2", 0x0122)),
        (file(2, PixelData=b"x" * (MIB + 1)), ("1.2.3.1.1.2", 0xA700)),
        (b"no DICOM file" * 100, ("", 0xC000)),
        (b"", ("", 0xC000)),
    ]:
        answer = server.store(file(1), bad, file(3))

        assert answer.status_code == 202
        response = module(answer)
        assert referenced(response) == ["1.2.3.1.1.1", "1.2.3.1.1.3"]
        assert failures(response) == [expected]
    assert set(server.kept()) == {"1.2.3.1.1.1", "1.2.3.1.1.3"}


def test_where_every_object_is_bad_none_is_kept(server: Server) -> None:
    answer = server.store(file(1, PatientID=None), file(2)[:600], b"no DICOM file" * 100)

    assert answer.status_code == 409
    reasons = [("1.2.3.1.1.1", 0xC000), ("1.2.3.1.1.2", 0xC000), ("", 0xC000)]
    assert failures(module(answer)) == reasons
    assert server.kept() == {}


@pytest.mark.parametrize("first", [{"PatientID": ""}, {"PatientName": "Other"}])
def test_one_entry_names_all_that_came_whatever_was_set_aside_before(
    server: Server, first: dict[str, str]
) -> None:
    server.store(file(1, PatientID="A"))
    other = file(2, "1.2.3.2", PatientID="B")

    answer = server.store(file(1, **{"PatientID": "A", **first}), other, file(1, PatientID="A"))

    assert answer.status_code == 202
    _, row = audited(server.database)
    assert (row.action, row.outcome, row.patients) == ("store", "success", [1, 2])
    assert (row.detail["count"], row.detail["refused"]) == (2, 1)
    assert row.detail["studies"] == ["1.2.3.1", "1.2.3.2"]


def test_only_objects_of_the_study_in_the_address_are_kept(server: Server) -> None:
    path = f"{STUDIES}/1.2.3.1"

    mixed = server.store(file(), file(study="1.2.3.2"), path=path)
    other = server.store(file(study="1.2.3.2"), path=path)
    malformed = server.store(file(), path=f"{STUDIES}/1.02.3")

    assert (mixed.status_code, other.status_code) == (202, 409)
    assert referenced(module(mixed)) == ["1.2.3.1.1.1"]
    assert failures(module(mixed)) == failures(module(other)) == [("1.2.3.2.1.1", 0xA900)]
    assert problem(malformed) == (400, "body-malformed")
    assert set(server.kept()) == {"1.2.3.1.1.1"}


def test_a_single_object_comes_without_parts(server: Server) -> None:
    headers = {"Content-Type": "application/dicom"}

    kept = server.client.post(STUDIES, content=file(), headers=headers)
    bad = server.client.post(STUDIES, content=b"no DICOM file" * 100, headers=headers)

    assert (kept.status_code, referenced(module(kept))) == (200, ["1.2.3.1.1.1"])
    assert (bad.status_code, failures(module(bad))) == (409, [("", 0xC000)])


@pytest.mark.parametrize("quoted", [True, False])
@pytest.mark.parametrize("size", [1, 7, 4096])
def test_a_body_of_unknown_length_comes_in_any_fragments(
    server: Server, quoted: bool, size: int
) -> None:
    body, headers = multipart(file(1), file(2), quoted=quoted)
    fragments = [body[begin : begin + size] for begin in range(0, len(body), size)]

    answer = server.client.post(STUDIES, content=iter(fragments), headers=headers)

    assert answer.request.headers["transfer-encoding"] == "chunked"
    assert (answer.status_code, len(referenced(module(answer)))) == (200, 2)


def test_preamble_epilogue_and_a_missing_line_end_change_nothing(server: Server) -> None:
    body, headers = multipart(file())

    for variant in (b"preamble\r\n" + body, body + b"epilogue", body.removesuffix(b"\r\n")):
        assert server.client.post(STUDIES, content=variant, headers=headers).status_code == 200


def test_key_opens_in_both_headers_and_nobody_else_may_store(server: Server) -> None:
    body, headers = multipart(file())
    key = server.client.headers["X-API-Key"]
    with server.database.transaction() as session:
        revoked = create_key(session, "revoked")
        revoke_key(session, "revoked")

    def post(**more: str) -> httpx.Response:
        address = server.client.base_url.join(STUDIES)
        return httpx.post(address, content=body, headers=headers | more, timeout=60)

    for refused in (post(), post(**{"X-API-Key": revoked}), post(Authorization="Bearer x")):
        assert problem(refused) == (401, "not-signed-in")
    assert server.kept() == {}
    assert post(Authorization=f"Bearer {key}").status_code == 200


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Content-Type": "application/json"}, (415, "media-type-unsupported")),
        ({"Content-Type": "multipart/form-data; boundary=b"}, (415, "media-type-unsupported")),
        ({"Content-Type": _XML_PARTS}, (415, "media-type-unsupported")),
        (content_type() | {"Content-Encoding": "gzip"}, (415, "media-type-unsupported")),
        ({"Content-Type": "multipart/related; type=application/dicom"}, (400, "body-malformed")),
        (content_type("not it"), (400, "body-malformed")),
        (content_type('"\\"'), (400, "body-malformed")),
        (content_type() | {"Accept": "application/dicom+xml"}, (406, "not-acceptable")),
    ],
)
def test_what_cannot_be_taken_apart_or_answered_is_refused(
    server: Server, headers: dict[str, str], expected: tuple[int, str]
) -> None:
    body, _ = multipart(file())

    answer = server.client.post(STUDIES, content=body, headers=headers)

    assert problem(answer) == expected
    assert server.kept() == {}
    assert server.store(file()).status_code == 200


@pytest.mark.parametrize("body", [b"", b"\r\n", b"garbage", b"--%s--" % BOUNDARY.encode()])
def test_a_body_without_objects_is_malformed(server: Server, body: bytes) -> None:
    answer = server.client.post(STUDIES, content=body, headers=content_type())

    assert problem(answer) == (400, "body-malformed")


def test_an_object_that_is_cut_off_is_not_kept(server: Server) -> None:
    body, headers = multipart(file(1), file(2))

    answer = server.client.post(STUDIES, content=body[:-300], headers=headers)

    assert problem(answer) == (400, "body-malformed")
    assert answer.json()["detail"].endswith("kept before that: 1")
    assert set(server.kept()) == {"1.2.3.1.1.1"}
    assert server.store(file(1), file(2)).status_code == 200


def test_an_object_that_is_too_large_is_refused_while_it_comes(server: Server) -> None:
    large = file(PixelData=b"x" * (3 * MIB))

    answers = [
        server.store(large),
        server.client.post(STUDIES, content=multipart_chunks(large), headers=content_type()),
        server.client.post(STUDIES, content=large, headers={"Content-Type": "application/dicom"}),
    ]

    assert [problem(answer) for answer in answers] == [(413, "object-too-large")] * 3
    assert server.kept() == {}
    assert server.store(file()).status_code == 200


def test_a_body_larger_than_any_is_refused_unread_or_when_it_gets_there(server: Server) -> None:
    base = server.client.base_url
    connection = HTTPConnection(base.host, base.port or 80, timeout=20)
    connection.putrequest("POST", STUDIES)
    connection.putheader("Content-Length", str(64 * MIB + 1))
    connection.endheaders()
    with closing(connection), connection.getresponse() as announced:
        assert announced.status == 413
    endless = iter([b"x" * MIB] * 65)

    answer = server.client.post(STUDIES, content=endless, headers=content_type())

    assert problem(answer) == (413, "body-too-large")


def test_what_else_is_posted_stays_small(server: Server) -> None:
    large = server.client.post("/login", content=b"key=" + b"x" * 70_000)
    beside = server.client.post("/dicom-web/studiesx", content=b"x" * 70_000)

    assert (large.status_code, beside.status_code) == (413, 413)


def test_storage_without_room_is_told_and_may_be_tried_again(
    settings: Settings, database: Database
) -> None:
    full = settings.model_copy(update={"minimum_free_mib": 1 << 40})
    storage = Storage(full.storage)
    storage.prepare()
    body, headers = multipart(file(1), file(2))

    with http_server(full, database, storage) as url:
        answer = httpx.post(url + STUDIES, content=body, headers=headers, timeout=60)

    assert problem(answer) == (507, "storage-full")


def test_storage_that_is_away_is_told(settings: Settings, database: Database) -> None:
    body, headers = multipart(file())
    storage = Storage(settings.storage)
    storage.prepare()
    storage.root.rename(storage.root.with_name("unmounted"))

    with http_server(settings, database, storage) as url:
        answer = httpx.post(url + STUDIES, content=body, headers=headers, timeout=60)

    assert problem(answer) == (503, "storage-away")
    assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize("accept", ["*/*", "application/dicom+json", "application/json"])
def test_answer_is_named_as_the_client_takes_it(server: Server, accept: str) -> None:
    answer = server.store(file(), Accept=accept)

    expected = "application/dicom+json" if accept == "*/*" else accept
    assert (answer.status_code, answer.headers["content-type"]) == (200, expected)


def test_addresses_begin_as_the_client_sees_the_server(server: Server) -> None:
    seen = {"Host": "pacs.example:8443", "X-Forwarded-Proto": "https"}

    answer = server.store(file(), **seen)

    assert module(answer).RetrieveURL == "https://pacs.example:8443/dicom-web/studies/1.2.3.1"


def test_what_is_not_offered_is_405(server: Server) -> None:
    for method in ("PUT", "DELETE"):
        assert problem(server.client.request(method, STUDIES))[0] == 405


def test_clients_library_stores_and_reads_the_answer(server: Server) -> None:
    client = DICOMwebClient(
        str(server.client.base_url.join("/dicom-web")),
        headers={"X-API-Key": server.client.headers["X-API-Key"]},
    )
    datasets: Sequence[Dataset] = [dcmread(BytesIO(file(number))) for number in (1, 2)]

    for _ in range(2):
        response = client.store_instances(datasets)
        assert referenced(response) == ["1.2.3.1.1.1", "1.2.3.1.1.2"]
    assert set(server.kept()) == {"1.2.3.1.1.1", "1.2.3.1.1.2"}
