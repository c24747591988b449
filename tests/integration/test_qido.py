"""QIDO-RS: the requests that viewers and clients send, and what they get back."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest
from dicomweb_client import DICOMwebClient
from pydicom import Dataset

from api.app import create_app
from api.dicomweb import qido
from api.dicomweb.search_places import SearchPlaces
from arcuate.waiting import wait_until
from core.keys import create_key
from dicom_node.storage.bytes import Storage
from dicom_node.storage.query.finding import find
from tests.builders.queryable import COMPREHENSIVE_3D_SR, OPT
from tests.fixtures.http_server import http_server, serving
from tests.fixtures.queryable_node import KINDS, FilledArchive, filled_archive

ROOT = "/dicom-web"
STUDY_UID, SERIES_UID, SOP_UID = "0020000D", "0020000E", "00080018"
ALL_STUDIES = ["1.2.30", "1.2.20", "1.2.11", "1.2.10"]


@pytest.fixture(scope="module", params=KINDS)
def archive(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FilledArchive]:
    with filled_archive(request, tmp_path_factory.mktemp("qido")) as filled:
        yield filled


@pytest.fixture(scope="module")
def web(archive: FilledArchive) -> Iterator[httpx.Client]:
    settings = archive.settings
    with (
        http_server(settings, archive.database, Storage(settings.storage)) as url,
        httpx.Client(base_url=url, timeout=30) as client,
    ):
        yield client


def search(web: httpx.Client, address: str) -> list[dict[str, Any]]:
    answer = web.get(ROOT + address)
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()
    return results


def value(result: dict[str, Any], tag: str) -> Any:
    return result[tag].get("Value", [None])[0]


def uids(results: list[dict[str, Any]], tag: str) -> list[str]:
    return [value(one, tag) for one in results]


@pytest.mark.parametrize(
    ("address", "tag", "expected"),
    [
        ("/studies", STUDY_UID, ALL_STUDIES),
        ("/studies?PatientName=*ann*", STUDY_UID, ["1.2.11", "1.2.10"]),
        ("/studies?00100010=M%C3%BCller%5EAnna", STUDY_UID, ["1.2.11", "1.2.10"]),
        ("/studies?00100020=P%2A", STUDY_UID, ALL_STUDIES),
        ("/studies?PatientID=P_3", STUDY_UID, ["1.2.30"]),
        ("/studies?StudyDate=20240101-20241231", STUDY_UID, ["1.2.20", "1.2.10"]),
        ("/studies?StudyDate=20240320-&StudyTime=120000-", STUDY_UID, ["1.2.20", "1.2.11"]),
        ("/studies?StudyInstanceUID=1.2.10%5C1.2.20", STUDY_UID, ["1.2.20", "1.2.10"]),
        ("/studies?StudyInstanceUID=1.2.10,1.2.20", STUDY_UID, ["1.2.20", "1.2.10"]),
        ("/studies?ModalitiesInStudy=SR", STUDY_UID, ["1.2.10"]),
        ("/studies?StudyDescription=*disc*", STUDY_UID, ["1.2.10"]),
        ("/studies?AccessionNumber=", STUDY_UID, ALL_STUDIES),
        ("/studies?PatientID=nobody", STUDY_UID, []),
        ("/studies?limit=2", STUDY_UID, ["1.2.30", "1.2.20"]),
        ("/studies?limit=2&offset=3", STUDY_UID, ["1.2.10"]),
        ("/studies?offset=999999999", STUDY_UID, []),
        ("/studies?limit=0", STUDY_UID, []),
        ("/series?Modality=SR", SERIES_UID, ["1.2.10.9"]),
        ("/series?0020000E=1.2.10.9", SERIES_UID, ["1.2.10.9"]),
        ("/series?00400275.00401001=PROC1", SERIES_UID, ["1.2.10.9"]),
        (
            "/studies/1.2.10/series",
            SERIES_UID,
            ["1.2.10.1", "1.2.10.2", "1.2.10.8", "1.2.10.9"],
        ),
        ("/studies/1.2.10/series?SeriesInstanceUID=1.2.10.8", SERIES_UID, ["1.2.10.8"]),
        ("/studies/1.2.10/series?StudyInstanceUID=1.2.11", SERIES_UID, []),
        ("/studies/1.2.99/series", SERIES_UID, []),
        (f"/instances?SOPClassUID={COMPREHENSIVE_3D_SR}", SOP_UID, ["1.2.10.9.1"]),
        ("/instances?00080018=1.2.20.1.2", SOP_UID, ["1.2.20.1.2"]),
        ("/studies/1.2.10/instances?InstanceNumber=2", SOP_UID, ["1.2.10.1.2", "1.2.10.2.2"]),
        ("/studies/1.2.20/series/1.2.20.1/instances", SOP_UID, ["1.2.20.1.1", "1.2.20.1.2"]),
        ("/studies/1.2.20/series/1.2.10.1/instances", SOP_UID, []),
    ],
)
def test_search_finds_in_a_stable_order(
    web: httpx.Client, address: str, tag: str, expected: list[str]
) -> None:
    assert uids(search(web, address), tag) == expected


def test_list_of_ohif_has_what_it_shows(web: httpx.Client) -> None:
    (study,) = search(
        web,
        "/studies?limit=101&offset=0&fuzzymatching=false"
        "&includefield=00081030%2C00080060%2C00080090%2C00100030&StudyInstanceUID=1.2.10",
    )

    shown = ["00080020", "00080030", "00080050", "00100020", "00100030", "00081030", "00201208"]
    assert [value(study, tag) for tag in shown] == [
        "20240320",
        "103000",
        "A1",
        "P1",
        "19580301",
        "OCT disc",
        6,
    ]
    assert value(study, "00100010") == {"Alphabetic": "Müller^Anna"}
    assert value(study, "00080090") == {"Alphabetic": "Weiß^Eva"}
    assert study["00080061"] == {"vr": "CS", "Value": ["OPT", "OT", "SR"]}
    assert (value(study, "00080005"), value(study, "00201206")) == ("ISO_IR 192", 4)


def test_name_groups_are_told_apart(web: httpx.Client) -> None:
    (study,) = search(web, "/studies?PatientName=%E5%B1%B1%E7%94%B0*")

    assert value(study, "00100010") == {
        "Alphabetic": "Yamada^Tarou",
        "Ideographic": "山田^太郎",
        "Phonetic": "やまだ^たろう",
    }


def test_series_list_of_ohif_and_weasis_has_what_they_read(web: httpx.Client) -> None:
    fields = "00080021%2C00080031%2C0008103E%2C00200011"
    (series,) = search(
        web, f"/studies/1.2.10/series?includefield={fields}&SeriesInstanceUID=1.2.10.1"
    )
    (instance,) = search(web, "/instances?00080018=1.2.10.1.1&includefield=00081190")

    shown = ["00080060", "0020000E", "00200011", "0008103E", "00201209", "00080021"]
    assert [value(series, tag) for tag in shown] == [
        "OPT",
        "1.2.10.1",
        1,
        "Series 1",
        2,
        "20240320",
    ]
    study = f"{web.base_url}{ROOT}/studies/1.2.10".replace("//dicom-web", "/dicom-web")
    assert value(series, "00081190") == f"{study}/series/1.2.10.1"
    assert value(instance, "00081190") == f"{study}/series/1.2.10.1/instances/1.2.10.1.1"


def test_addresses_are_those_a_proxy_is_called_by(archive: FilledArchive) -> None:
    behind = {"auth": "keys", "trusted_proxies": "127.0.0.1"}
    settings = archive.settings.model_copy(update=behind)
    with archive.database.transaction() as session:
        key = create_key(session, f"viewer {uuid4()}")
    forwarded = {"Host": "pacs.example", "X-Forwarded-Proto": "https", "X-API-Key": key}

    with http_server(settings, archive.database, Storage(settings.storage)) as url:
        unknown = httpx.get(f"{url}{ROOT}/studies", timeout=60)
        (study,) = httpx.get(
            f"{url}{ROOT}/studies?PatientID=P2", headers=forwarded, timeout=60
        ).json()

    assert unknown.status_code == 401
    assert value(study, "00081190") == "https://pacs.example/dicom-web/studies/1.2.20"


def test_fields_may_be_listed_repeated_and_all(web: httpx.Client) -> None:
    def tags(parameters: str) -> set[str]:
        (result,) = search(web, f"/instances?SOPInstanceUID=1.2.10.9.1&{parameters}")
        return set(result)

    usual = tags("limit=1")
    listed = tags("includefield=CompletionFlag,0040A493")
    repeated = tags("includefield=CompletionFlag&includefield=0040A493")
    everything = tags("includefield=all")

    assert listed - usual == repeated - usual == {"0040A491", "0040A493"}
    assert everything > listed | {"0040A043", "00080062", "00080023", "00201200"}


def test_results_are_the_dicom_json_model(web: httpx.Client) -> None:
    for result in search(web, "/instances?includefield=all"):
        dataset = Dataset.from_json(json.dumps(result))
        assert dataset.RetrieveURL.endswith(dataset.SOPInstanceUID)
        assert list(result) == sorted(result)


def test_dicomweb_client_searches_everything(web: httpx.Client) -> None:
    client = DICOMwebClient(f"{web.base_url}{ROOT}".replace("//dicom-web", "/dicom-web"))

    studies = client.search_for_studies(
        search_filters={"PatientName": "*ann*"}, fields=["StudyDescription", "00080090"]
    )
    remaining = client.search_for_studies(limit=1, get_remaining=True)
    series = client.search_for_series("1.2.10", search_filters={"Modality": "OPT"})
    all_series = client.search_for_series(limit=3, offset=1)
    instances = client.search_for_instances("1.2.20", "1.2.20.1")
    of_study = client.search_for_instances("1.2.20")
    of_class = client.search_for_instances(search_filters={"SOPClassUID": OPT}, limit=100)

    assert uids(studies, STUDY_UID) == ["1.2.11", "1.2.10"]
    assert uids(remaining, STUDY_UID) == ALL_STUDIES
    assert uids(series, SERIES_UID) == ["1.2.10.1", "1.2.10.2"]
    assert len(all_series) == 3
    assert uids(instances, SOP_UID) == ["1.2.20.1.1", "1.2.20.1.2"]
    assert (len(of_study), len(of_class)) == (4, 16)


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("application/dicom+json", "application/dicom+json"),
        ("application/json", "application/json"),
        ("application/dicom+json, application/json", "application/dicom+json"),
        ("*/*", "application/dicom+json"),
        ("", "application/dicom+json"),
    ],
)
def test_type_is_negotiated(web: httpx.Client, accept: str, answered: str) -> None:
    answer = web.get(f"{ROOT}/studies", headers={"Accept": accept})

    assert (answer.status_code, answer.headers["content-type"]) == (200, answered)


@pytest.mark.parametrize("accept", ["text/html", "application/dicom+xml", "application/dicom"])
def test_other_types_are_not_acceptable(web: httpx.Client, accept: str) -> None:
    in_header = web.get(f"{ROOT}/studies", headers={"Accept": accept})
    in_address = web.get(f"{ROOT}/studies", params={"accept": accept})

    assert (in_header.status_code, in_address.status_code) == (406, 406)
    assert in_header.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("address", "parameter"),
    [
        ("/studies?limit=-1", "limit"),
        ("/studies?limit=1e9", "limit"),
        ("/studies?limit=99999999999999999999", "limit"),
        ("/studies?limit=1&limit=2", "limit"),
        ("/studies?offset=x", "offset"),
        ("/studies?fuzzymatching=perhaps", "fuzzymatching"),
        ("/studies?includefield=Nonsense", "includefield"),
        ("/studies?Nonsense=1", "Nonsense"),
        ("/studies?StudyDate=2024-03-20", "StudyDate"),
        ("/studies?00080020=20240230", "00080020"),
        ("/studies?StudyInstanceUID=..%2F..%2Fetc", "StudyInstanceUID"),
        ("/studies?StudyInstanceUID=1.2%00.10", "StudyInstanceUID"),
        ("/studies?PatientID=P%00", "PatientID"),
        ("/studies?PatientID=a%0Ab", "PatientID"),
        ("/studies?PatientID=a&PatientID=b", "PatientID"),
        (f"/studies?PatientName={'*a' * 200}", "PatientName"),
        ("/studies/1..2/series", "StudyInstanceUID"),
        ("/studies/*/series", "StudyInstanceUID"),
        ("/studies/1.2%5C1.3/instances", "StudyInstanceUID"),
        ("/studies/1.2/series/%2e%2e/instances", "SeriesInstanceUID"),
        ("/instances?InstanceNumber=two", "InstanceNumber"),
        ("/studies?.=1", "."),
        ("/studies?=1", ""),
    ],
)
def test_bad_parameter_is_named(web: httpx.Client, address: str, parameter: str) -> None:
    answer = web.get(ROOT + address)

    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["parameter"] for error in answer.json()["errors"]] == [parameter]


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("/studies?fuzzymatching=true", "fuzzymatching"),
        ("/studies?Modality=OPT", "Modality"),
        ("/studies?PatientComments=x&00091001=y", "PatientComments, 00091001"),
    ],
)
def test_what_is_not_done_is_told_in_a_warning(web: httpx.Client, address: str, text: str) -> None:
    answer = web.get(ROOT + address)

    assert (answer.status_code, len(answer.json())) == (200, 4)
    assert answer.headers["warning"].startswith(f"299 {web.base_url}".rstrip("/"))
    assert text in answer.headers["warning"]


def test_more_results_than_the_most_are_told_of(archive: FilledArchive) -> None:
    settings = archive.settings.model_copy(update={"qido_maximum_results": 3})
    storage = Storage(settings.storage)

    with (
        http_server(settings, archive.database, storage) as url,
        httpx.Client(timeout=60, base_url=url + ROOT) as few,
    ):
        cut = [few.get(f"/studies?{limit}") for limit in ("", "limit=4", "limit=1000000")]
        whole = few.get("/studies?limit=3")

    assert [len(answer.json()) for answer in (*cut, whole)] == [3, 3, 3, 3]
    assert all("additional results" in answer.headers["warning"] for answer in cut)
    assert "warning" not in whole.headers


def test_those_who_search_at_once_beyond_the_bound_are_asked_to_come_back(
    archive: FilledArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = threading.Event()

    def slowly(*query: Any) -> Any:
        done.wait(60)
        return find(*query)

    monkeypatch.setattr(qido, "find", slowly)
    app = create_app(archive.settings, archive.database, Storage(archive.settings.storage))
    places = SearchPlaces(at_a_time=2, most_waiting=3)
    app.state.search_places = places
    with serving(app, archive.settings) as url, ThreadPoolExecutor(5) as pool:
        address = f"{url}{ROOT}/studies"
        try:
            searches = [pool.submit(httpx.get, address, timeout=60) for _ in range(5)]
            assert wait_until(lambda: places.waiting == 3, 30)
            refused = httpx.get(address, timeout=60)
            ready = httpx.get(f"{url}/health/ready", timeout=60)
        finally:
            done.set()
        answers = [one.result(60) for one in searches]

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert refused.json()["type"] == "urn:arcuate:problem:too-many-searches"
    assert ready.status_code == 200
    assert [(answer.status_code, len(answer.json())) for answer in answers] == [(200, 4)] * 5
