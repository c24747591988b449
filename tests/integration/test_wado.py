"""WADO-RS over real HTTP, by dicomweb-client and by hand."""

import io
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from typing import Any

import httpx
import numpy as np
import pytest
from dicomweb_client import DICOMwebClient
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)
from sqlmodel import col, update

from core.clock import utc_now
from core.database import Database
from core.keys import create_key
from core.settings import Settings
from core.tables.instances import InstanceRow
from dicom_node.storage.archive import Archive, open_archive
from dicom_node.storage.bytes import Storage
from dicom_node.storage.ingest import ingest
from dicom_node.storage.part10 import EncodedInstance
from tests.builders.encoded_instance import as_file, encode_instance
from tests.builders.frames import COLUMNS, ROWS, document_instance, frames_instance, grey_frames
from tests.fixtures.http_server import http_server

STUDY, SERIES, INSTANCE = "1.2.3.1", "1.2.3.1.1", "1.2.3.1.1.1"
AT_STUDY = f"/dicom-web/studies/{STUDY}"
AT_SERIES = f"{AT_STUDY}/series/{SERIES}"
AT_INSTANCE = f"{AT_SERIES}/instances/{INSTANCE}"
#: What these tests show does not depend on the database.
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PDF = b"%PDF-1.7 " + bytes(range(256)) * 800 + b"!"
ORIGIN = "https://viewer.example"


SYNTAXES = [
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
]


@dataclass(frozen=True)
class Server:
    """A server that answers, with a key in every request of `client`."""

    client: httpx.Client
    archive: Archive
    web: DICOMwebClient

    def keep(self, encoded: EncodedInstance) -> EncodedInstance:
        ingest(self.archive, encoded)
        return encoded

    def get(self, path: str, accept: str = "", **headers: str) -> httpx.Response:
        return self.client.get(path, headers={"Accept": accept or "*/*", **headers})

    def remove_bytes(self, sop_instance_uid: str) -> None:
        known = col(InstanceRow.sop_instance_uid) == sop_instance_uid
        with self.archive.database.transaction() as session:
            session.execute(update(InstanceRow).where(known).values(bytes_removed_at=utc_now()))

    def bring_back(self, sop_instance_uid: str) -> None:
        known = col(InstanceRow.sop_instance_uid) == sop_instance_uid
        with self.archive.database.transaction() as session:
            session.execute(update(InstanceRow).where(known).values(bytes_removed_at=None))


@contextmanager
def serving(settings: Settings, database: Database) -> Generator[Server]:
    locked = settings.model_copy(update={"auth": "keys", "cors_origins": ORIGIN})
    archive = open_archive(locked, database, Storage(locked.storage))
    archive.prepare()
    with database.transaction() as session:
        key = create_key(session, "clinic")
    headers = {"X-API-Key": key}
    with (
        http_server(locked, database, archive.storage) as url,
        httpx.Client(base_url=url, headers=headers, timeout=30) as client,
    ):
        yield Server(client, archive, DICOMwebClient(f"{url}/dicom-web", headers=headers))


@pytest.fixture
def server(settings: Settings, database: Database) -> Iterator[Server]:
    with serving(settings, database) as running:
        yield running


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Server]:
    """A server for tests that keep nothing: INSTANCE, and one of 16 bits in every encoding."""
    home = tmp_path_factory.mktemp("node")
    copyfile(sqlite_template, home / "arcuate.db")
    settings = Settings(home=home, database_url=f"sqlite:///{home}/arcuate.db", http_port=0)
    database = Database(settings.database)
    with serving(settings, database) as running:
        running.keep(frames_instance())
        for number, syntax in enumerate(SYNTAXES, 10):
            running.keep(frames_instance(syntax, bits=16, SOPInstanceUID=f"{SERIES}.{number}"))
        yield running
    database.close()


def parts_of(answer: httpx.Response) -> list[tuple[str, bytes]]:
    """Return content type and content of each part."""
    assert answer.headers["content-type"].startswith("multipart/related; type=")
    boundary = answer.headers["content-type"].partition("boundary=")[2].encode()
    *parts, end = answer.content.split(b"\r\n--" + boundary)[1:]
    assert end == b"--\r\n"
    found = []
    for part in parts:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        found.append((fields["Content-Type"], content))
    return found


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    document = answer.json()
    named = ",".join(error["parameter"] for error in document.get("errors", []))
    return answer.status_code, named


def test_clients_library_retrieves_instances_series_and_studies(server: Server) -> None:
    for series, number in ((1, 1), (1, 2), (2, 1)):
        uids = {"SeriesInstanceUID": f"{STUDY}.{series}"}
        uid = f"{STUDY}.{series}.{number}"
        server.keep(frames_instance(JPEG2000Lossless, SOPInstanceUID=uid, **uids))

    one = server.web.retrieve_instance(STUDY, SERIES, INSTANCE)
    series = server.web.retrieve_series(STUDY, SERIES)
    study = server.web.retrieve_study(STUDY)

    assert one.file_meta.TransferSyntaxUID == JPEG2000Lossless
    assert [dataset.SOPInstanceUID for dataset in series] == [INSTANCE, "1.2.3.1.1.2"]
    assert [dataset.SOPInstanceUID for dataset in study] == [
        INSTANCE,
        "1.2.3.1.1.2",
        "1.2.3.1.2.1",
    ]
    assert {str(dataset.file_meta.TransferSyntaxUID) for dataset in study} == {
        str(ExplicitVRLittleEndian)
    }
    assert all(np.array_equal(dataset.pixel_array, grey_frames(4)) for dataset in [one, *study])


def test_instance_comes_byte_for_byte_with_its_length(shared: Server) -> None:
    encoded = frames_instance()

    single = shared.get(AT_INSTANCE, "application/dicom")
    many = shared.get(AT_INSTANCE, 'multipart/related; type="application/dicom"')

    assert single.content == as_file(encoded)
    [(content_type, content)] = parts_of(many)
    assert content == as_file(encoded)
    assert content_type == f"application/dicom; transfer-syntax={ExplicitVRLittleEndian}"
    assert int(many.headers["content-length"]) == len(many.content)


@pytest.mark.parametrize("number", range(10, 10 + len(SYNTAXES)))
def test_instance_is_converted_without_a_change_in_its_values(shared: Server, number: int) -> None:
    address = f"{AT_SERIES}/instances/{SERIES}.{number}"

    answer = shared.get(address, f"application/dicom; transfer-syntax={ExplicitVRLittleEndian}")

    dataset = dcmread(io.BytesIO(answer.content))
    assert dataset.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert np.array_equal(dataset.pixel_array, grey_frames(4, 16))
    assert (dataset.PatientName, dataset.NumberOfFrames) == ("Müller^Anna", 4)
    frames = shared.get(f"{address}/frames/2,4", "multipart/related; type=application/octet-stream")
    wanted = grey_frames(4, 16)[[1, 3]]
    assert [content for _, content in parts_of(frames)] == [frame.tobytes() for frame in wanted]


def test_clients_library_retrieves_frames(shared: Server) -> None:
    frames = shared.web.retrieve_instance_frames(STUDY, SERIES, INSTANCE, [1, 3])
    pictures = shared.web.retrieve_instance_frames(
        STUDY, SERIES, INSTANCE, [2], media_types=("image/jpeg",)
    )

    assert frames == [grey_frames(4)[0].tobytes(), grey_frames(4)[2].tobytes()]
    decoded = np.asarray(Image.open(io.BytesIO(pictures[0])), np.float32)
    assert np.abs(decoded - grey_frames(4)[1]).mean() < 3


@SQLITE
def test_viewer_gets_compressed_frames_as_they_are(server: Server) -> None:
    encoded = server.keep(frames_instance(JPEGLSLossless))
    accept = "multipart/related; type=application/octet-stream; transfer-syntax=*"

    [(content_type, content)] = parts_of(server.get(f"{AT_INSTANCE}/frames/3", accept))
    [(picture_type, picture)] = parts_of(
        server.get(f"{AT_INSTANCE}/frames/3", 'multipart/related; type="image/jls"')
    )

    assert content_type == f"application/octet-stream; transfer-syntax={JPEGLSLossless}"
    assert picture_type == f"image/jls; transfer-syntax={JPEGLSLossless}"
    assert content == picture
    assert content in encoded.data_set
    single = server.get(f"{AT_INSTANCE}/frames/3", "image/jls")
    assert (single.headers["content-type"], single.content) == ("image/jls", content)


def test_metadata_is_whole_and_links_bulk_values(server: Server) -> None:
    item = Dataset()
    item.CodeValue = "T-AA000"
    inner = Dataset()
    inner.RedPaletteColorLookupTableData = bytes(5000)
    item.ContentSequence = [inner]
    encoded = server.keep(
        frames_instance(AcquisitionContextSequence=[item], SpecificCharacterSet="ISO_IR 100")
    )

    [found] = server.web.retrieve_series_metadata(STUDY, SERIES)

    dataset = Dataset.from_json(found, bulk_data_uri_handler=lambda _tag, _vr, _uri: b"")
    assert (dataset.PatientName, dataset.SpecificCharacterSet) == ("Müller^Anna", "ISO_IR 192")
    assert dataset.AcquisitionContextSequence[0].CodeValue == "T-AA000"
    root = str(server.client.base_url).rstrip("/") + AT_INSTANCE
    assert found["7FE00010"]["BulkDataURI"] == f"{root}/bulkdata/7FE00010"
    nested = found["00400555"]["Value"][0]["0040A730"]["Value"][0]["00281201"]["BulkDataURI"]
    assert nested == f"{root}/bulkdata/00400555/1/0040A730/1/00281201"
    assert server.web.retrieve_bulkdata(nested) == [bytes(5000)]
    [pixels] = server.web.retrieve_bulkdata(found["7FE00010"]["BulkDataURI"])
    assert pixels == grey_frames(4).tobytes()
    assert pixels in encoded.data_set
    assert server.web.retrieve_instance_metadata(STUDY, SERIES, INSTANCE) == found
    assert server.web.retrieve_study_metadata(STUDY) == [found]


def test_document_is_a_bulk_value_and_pdf(server: Server) -> None:
    server.keep(document_instance(PDF))

    [found] = server.web.retrieve_series_metadata(STUDY, SERIES)

    address = found["00420011"]["BulkDataURI"]
    assert "InlineBinary" not in found["00420011"]
    single = server.client.get(address)
    assert (single.headers["content-type"], single.content) == ("application/pdf", PDF)
    assert server.web.retrieve_bulkdata(address) == [PDF]
    shown = server.get(f"{AT_INSTANCE}/rendered", "application/pdf")
    assert (shown.headers["content-type"], shown.content) == ("application/pdf", PDF)
    piece = server.client.get(address, headers={"Range": "bytes=5-14"})
    assert (piece.status_code, piece.content) == (206, PDF[5:15])
    assert piece.headers["content-range"] == f"bytes 5-14/{len(PDF)}"
    for held, status in ((single.headers["etag"], 206), ('"other"', 200)):
        headers = {"Range": "bytes=5-14", "If-Range": held}
        assert server.client.get(address, headers=headers).status_code == status
    assert problem(server.get(f"{AT_INSTANCE}/rendered", "image/png"))[0] == 406
    assert problem(server.client.get(address, headers={"Range": "bytes=999999-"}))[0] == 416


@SQLITE
def test_pictures_come_in_the_size_and_window_asked_for(server: Server) -> None:
    server.keep(frames_instance(JPEG2000Lossless, bits=16))

    whole = server.web.retrieve_instance_rendered(STUDY, SERIES, INSTANCE, ("image/png",))
    frame = server.web.retrieve_instance_frames_rendered(
        STUDY, SERIES, INSTANCE, [2], ("image/jpeg",), {"viewport": "24,16"}
    )
    black = server.get(f"{AT_INSTANCE}/frames/1/rendered?window=1000000,2,linear", "image/png")

    assert Image.open(io.BytesIO(whole)).size == (COLUMNS, ROWS)
    shown = np.asarray(Image.open(io.BytesIO(whole)), np.float32)
    assert np.abs(shown - grey_frames(4, 16)[1] / 257).max() <= 1
    picture = Image.open(io.BytesIO(frame))
    assert (picture.size, picture.format) == ((24, 16), "JPEG")
    assert np.asarray(Image.open(io.BytesIO(black.content))).max() == 0


@pytest.mark.parametrize("at", [AT_STUDY, AT_SERIES, AT_INSTANCE, f"{AT_INSTANCE}/frames/1"])
def test_thumbnails_come_of_every_level(shared: Server, at: str) -> None:
    answer = shared.client.get(f"{at}/thumbnail?accept=image/png")

    assert answer.headers["content-type"] == "image/png"
    assert max(Image.open(io.BytesIO(answer.content)).size) == 128


@SQLITE
def test_colours_become_red_green_and_blue(server: Server) -> None:
    colours = np.zeros((ROWS, COLUMNS, 3), np.uint8)
    colours[..., 0] = 200
    server.keep(
        frames_instance(
            NumberOfFrames=None,
            SamplesPerPixel=3,
            PlanarConfiguration=0,
            PhotometricInterpretation="RGB",
            PixelData=colours.tobytes(),
        )
    )

    picture = Image.open(io.BytesIO(server.get(f"{AT_INSTANCE}/rendered", "image/png").content))

    assert (picture.mode, picture.getpixel((3, 3))) == ("RGB", (200, 0, 0))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"{AT_INSTANCE}/frames/0", (400, "frames")),
        (f"{AT_INSTANCE}/frames/abc", (400, "frames")),
        (f"{AT_INSTANCE}/frames/1,,2", (400, "frames")),
        (f"{AT_INSTANCE}/frames/-1", (400, "frames")),
        (f"{AT_INSTANCE}/frames/9999", (404, "frames")),
        (f"{AT_INSTANCE}/frames/{'9' * 400}", (400, "frames")),
        (f"{AT_INSTANCE}/frames/1,2/rendered", (400, "frames")),
        (f"{AT_INSTANCE}/rendered?viewport=0,5", (400, "viewport")),
        (f"{AT_INSTANCE}/rendered?viewport=99999999999,5", (400, "viewport")),
        (f"{AT_INSTANCE}/rendered?window=a,b,linear", (400, "window")),
        (f"{AT_INSTANCE}/rendered?quality=101", (422, "quality")),
        (f"{AT_INSTANCE}/bulkdata/xyz", (400, "path")),
        (f"{AT_INSTANCE}/bulkdata/00100010", (404, "")),
        (f"{AT_INSTANCE}/bulkdata/00420011", (404, "")),
        (f"{AT_INSTANCE}/bulkdata/00400555/0/00281201", (404, "")),
        ("/dicom-web/studies/1.2.%2E%2E", (400, "study")),
        ("/dicom-web/studies/1.2%00.3/metadata", (400, "study")),
        (f"/dicom-web/studies/{'1.' * 200}1", (400, "study")),
        (f"{AT_STUDY}/series/1.02", (400, "series")),
        (f"{AT_SERIES}/instances/x", (400, "instance")),
        ("/dicom-web/studies/1.2.999", (404, "")),
        (f"/dicom-web/studies/1.2.9/series/{SERIES}/instances/{INSTANCE}", (404, "")),
        (f"{AT_STUDY}/series/1.2.9/instances/{INSTANCE}/metadata", (404, "")),
    ],
)
def test_bad_addresses_are_told_by_their_parameter(
    shared: Server, path: str, expected: tuple[int, str]
) -> None:
    assert problem(shared.get(path)) == expected


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        (AT_INSTANCE, "text/html"),
        (AT_INSTANCE, "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.50"),
        (AT_STUDY, "application/dicom"),
        (f"{AT_INSTANCE}/metadata", "application/dicom+xml"),
        (f"{AT_INSTANCE}/frames/1", "image/gif"),
        (f"{AT_INSTANCE}/frames/1,2", "application/octet-stream"),
        (f"{AT_INSTANCE}/rendered", "video/mp4"),
        (f"{AT_INSTANCE}/bulkdata/7FE00010", "image/png"),
        (f"{AT_INSTANCE}/frames/1", "x" * 3000),
    ],
)
def test_what_cannot_be_had_is_406(shared: Server, path: str, accept: str) -> None:
    assert problem(shared.get(path, accept)) == (406, "")


def test_what_retention_removed_is_410_and_left_out(server: Server) -> None:
    server.keep(frames_instance())
    server.keep(frames_instance(SOPInstanceUID="1.2.3.1.1.2"))
    server.remove_bytes(INSTANCE)

    assert problem(server.get(AT_INSTANCE))[0] == 410
    assert problem(server.get(f"{AT_INSTANCE}/frames/1"))[0] == 410
    some = server.get(AT_STUDY)
    assert (some.status_code, len(parts_of(some))) == (206, 1)
    assert some.headers["warning"] == '299 - "1 instances were removed by retention"'
    listed = server.get(f"{AT_SERIES}/metadata")
    assert (listed.status_code, len(listed.json())) == (206, 1)
    server.bring_back(INSTANCE)
    whole = server.get(AT_STUDY, **{"If-None-Match": some.headers["etag"]})
    assert (whole.status_code, len(parts_of(whole))) == (200, 2)
    server.remove_bytes(INSTANCE)
    server.remove_bytes("1.2.3.1.1.2")
    assert problem(server.get(AT_STUDY))[0] == 410


@pytest.mark.parametrize("at", ["", "/metadata", "/frames/1", "/rendered", "/bulkdata/7FE00010"])
def test_unchanged_answers_are_not_sent_again(shared: Server, at: str) -> None:
    first = shared.get(AT_INSTANCE + at)

    again = shared.get(AT_INSTANCE + at, **{"If-None-Match": first.headers["etag"]})
    other = shared.get(AT_INSTANCE + at, **{"If-None-Match": '"other"'})

    assert (again.status_code, again.content) == (304, b"")
    assert other.status_code == 200
    # Asked again each time: other content may take the place of an instance, as of a wrong eye.
    assert first.headers["cache-control"] == "private, no-cache"


def test_pages_of_a_listed_origin_may_read_and_no_other(shared: Server) -> None:
    asks = {"Access-Control-Request-Method": "GET"}

    preflight = httpx.options(
        shared.client.base_url.join(AT_INSTANCE), headers={"Origin": ORIGIN, **asks}, timeout=60
    )
    answer = shared.get(AT_INSTANCE, Origin=ORIGIN)
    refused = shared.get(AT_INSTANCE, Origin="https://evil.example")

    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == ORIGIN
    assert "authorization" in preflight.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in preflight.headers
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-origin" not in refused.headers
    assert httpx.get(shared.client.base_url.join(AT_INSTANCE), timeout=60).status_code == 401


def test_addresses_begin_as_the_settings_say(settings: Settings, database: Database) -> None:
    public = settings.model_copy(update={"public_url": "https://pacs.example/eye"})
    archive = open_archive(public, database, Storage(public.storage))
    archive.prepare()
    ingest(archive, encode_instance())

    with http_server(public, database, archive.storage) as url:
        [found] = httpx.get(f"{url}{AT_INSTANCE}/metadata", timeout=60).json()

    bulk: Any = found["7FE00010"]["BulkDataURI"]
    assert bulk == f"https://pacs.example/eye{AT_INSTANCE}/bulkdata/7FE00010"


@SQLITE
def test_damaged_pixels_stop_nobody(server: Server) -> None:
    encoded = frames_instance(JPEGBaseline8Bit)
    broken = encoded.data_set.replace(b"\xff\xc0", b"\xff\xc3")
    server.keep(EncodedInstance(**{**encoded.__dict__, "data_set": broken}))
    server.keep(frames_instance(JPEG2000Lossless, SOPInstanceUID="1.2.3.1.1.2"))

    assert problem(server.get(f"{AT_INSTANCE}/rendered"))[0] == 406
    assert problem(server.get(f"{AT_INSTANCE}/frames/1"))[0] == 406
    datasets = server.web.retrieve_study(STUDY)
    syntaxes = [str(dataset.file_meta.TransferSyntaxUID) for dataset in datasets]
    assert syntaxes == [str(JPEGBaseline8Bit), str(ExplicitVRLittleEndian)]
