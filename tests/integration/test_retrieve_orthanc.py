"""Fetching from Orthanc, an archive we did not write, by C-GET and by C-MOVE."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import JPEG2000Lossless
from sqlmodel import select

from core.calling_tls import CallingTLS
from core.database import Database
from core.settings import Settings
from core.tables.instances import InstanceRow
from core.tables.jobs import JobRow
from dicom_node.peers import PeerAddress, add_peer
from dicom_node.retrieve.catalogue import Wish, list_series
from dicom_node.retrieve.date_range import DateRange
from dicom_node.retrieve.fetching import Fetcher, SeriesResult, fetch_all
from dicom_node.retrieve.get import Getting
from dicom_node.retrieve.move import Moving
from dicom_node.retrieve.plan import SeriesPlan, plan_series
from dicom_node.retrieve.query import StudyQuery, querying
from tests.builders.encoded_instance import as_file, encode_instance
from tests.fixtures.dicom_server import Node, running_node
from tests.fixtures.orthanc import ORTHANC, Orthanc, running_orthanc

CT = "1.2.840.10008.5.1.4.1.1.2"
PDF = "1.2.840.10008.5.1.4.1.1.104.1"


@dataclass(frozen=True)
class Archive:
    """An Orthanc, and our node that fetches from it."""

    orthanc: Orthanc
    node: Node
    settings: Settings

    @property
    def peer(self) -> PeerAddress:
        return PeerAddress(ORTHANC, "127.0.0.1", self.orthanc.dicom_port)

    @property
    def getting(self) -> Getting:
        return Getting(self.peer, "ARCUATE", self.node.archive, CallingTLS(self.settings))

    @property
    def moving(self) -> Moving:
        return Moving(self.peer, "ARCUATE", self.node.database, CallingTLS(self.settings))

    def put(self, **attributes: object) -> bytes:
        """Store an instance there; return its encoded data set."""
        encoded = encode_instance(**attributes)
        self.orthanc.client.post("/instances", content=as_file(encoded)).raise_for_status()
        return encoded.data_set

    def plan(self, query: StudyQuery, everything: bool = False) -> list[SeriesPlan]:
        with querying(self.peer, "ARCUATE", CallingTLS(self.settings)) as asking:
            listed = list_series(asking, query, Wish(everything))
            return [plan_series(self.node.database, series) for series in listed]

    def fetch(self, plans: list[SeriesPlan], fetcher: Fetcher) -> list[SeriesResult]:
        return list(fetch_all(plans, self.node.database, fetcher, instead=self.moving))

    @property
    def digests(self) -> dict[str, str]:
        with self.node.database.reading() as session:
            rows = session.exec(select(InstanceRow)).all()
            return {row.sop_instance_uid: row.digest for row in rows}


@pytest.fixture
def archive(
    settings: Settings, database: Database, tmp_path: Path, need: Callable[[str], None]
) -> Iterator[Archive]:
    need("Orthanc")
    with (
        running_node(settings, database) as node,
        running_orthanc(tmp_path / "orthanc", node.address) as orthanc,
    ):
        with database.transaction() as session:
            add_peer(session, ORTHANC, "127.0.0.1", orthanc.dicom_port)
        yield Archive(orthanc, node, settings)


STUDY = StudyQuery(study_instance_uid="1.2.3.1")


def test_a_study_is_fetched_byte_for_byte_and_the_second_time_nothing(archive: Archive) -> None:
    sizes = {"1.2.3.1.1.1": 4, "1.2.3.1.1.2": 300_000, "1.2.3.1.1.3": 3_000_000}
    sent = {uid: archive.put(SOPInstanceUID=uid, PixelData=bytes(n)) for uid, n in sizes.items()}

    [result] = archive.fetch(archive.plan(STUDY), archive.getting)
    [again] = archive.plan(STUDY)

    assert archive.digests == {uid: sha256(data).hexdigest() for uid, data in sent.items()}
    assert (result.fetched, result.is_complete, result.counts.completed) == (3, True, 3)
    assert (again.kept_before, again.requests) == (3, ())
    with archive.node.database.reading() as session:
        assert len(session.exec(select(JobRow)).all()) == 3


def test_what_is_kept_is_left_out_image_by_image(archive: Archive) -> None:
    for number in range(3):
        archive.put(SOPInstanceUID=f"1.2.3.1.1.{number + 1}")
    archive.fetch(archive.plan(STUDY), archive.getting)
    archive.put(SOPInstanceUID="1.2.3.1.1.4")
    archive.put(SOPInstanceUID="1.2.3.1.1.5")

    [plan] = archive.plan(STUDY)
    [result] = archive.fetch([plan], archive.getting)

    assert [one.sop_instance_uid for one in plan.missing] == ["1.2.3.1.1.4", "1.2.3.1.1.5"]
    assert (result.fetched, result.counts.completed, len(archive.digests)) == (2, 2, 5)


def test_c_move_brings_it_to_our_receiver(archive: Archive) -> None:
    sent = archive.put(PixelData=bytes(1_000_000))
    archive.put(SOPInstanceUID="1.2.3.1.1.2")

    [result] = archive.fetch(archive.plan(STUDY), archive.moving)

    assert (result.fetched, result.is_complete, result.counts.completed) == (2, True, 2)
    assert archive.digests["1.2.3.1.1.1"] == sha256(sent).hexdigest()


def test_only_what_can_be_scored_is_fetched_unless_all_is_asked_for(archive: Archive) -> None:
    archive.put()
    archive.put(SOPInstanceUID="1.2.3.1.2.1", SeriesInstanceUID="1.2.3.1.2", Modality="DOC")
    pdf = {"SOPClassUID": PDF, "SeriesInstanceUID": "1.2.3.1.3", "Modality": "OPT"}
    archive.put(SOPInstanceUID="1.2.3.1.3.1", **pdf)
    ct = {"SOPClassUID": CT, "StudyInstanceUID": "1.2.3.2", "SeriesInstanceUID": "1.2.3.2.1"}
    archive.put(SOPInstanceUID="1.2.3.2.1.1", Modality="CT", **ct)
    day = StudyQuery(dates=DateRange.parse("20240301-20240331"))

    scored = archive.fetch(archive.plan(day), archive.getting)
    everything = archive.fetch(archive.plan(day, everything=True), archive.getting)

    assert [one.plan.series.series_instance_uid for one in scored] == ["1.2.3.1.1"]
    assert sum(one.fetched for one in everything) == 2
    assert set(archive.digests) == {"1.2.3.1.1.1", "1.2.3.1.2.1", "1.2.3.1.3.1"}


def test_a_patient_or_a_range_of_days_is_fetched_and_no_other(archive: Archive) -> None:
    for number, (patient, day) in enumerate([("P1", "20240320"), ("P12", "20240401")]):
        uid = f"1.2.3.{number + 1}"
        archive.put(
            PatientID=patient,
            StudyDate=day,
            StudyInstanceUID=uid,
            SeriesInstanceUID=f"{uid}.1",
            SOPInstanceUID=f"{uid}.1.1",
        )

    def found(query: StudyQuery) -> list[str]:
        return [plan.series.study_instance_uid for plan in archive.plan(query)]

    assert found(StudyQuery(patient_id="P1")) == ["1.2.3.1"]
    assert found(StudyQuery(dates=DateRange.parse("20240320"))) == ["1.2.3.1"]
    assert found(StudyQuery(dates=DateRange.parse("2024-04-01.."))) == ["1.2.3.2"]
    assert found(StudyQuery(dates=DateRange.parse("-20240101"))) == []


def test_what_the_node_refuses_is_told_and_the_rest_comes(archive: Archive) -> None:
    archive.put()
    archive.put(SOPInstanceUID="1.2.3.1.1.2", PixelData=bytes(300_000))
    archive.fetch(archive.plan(STUDY), archive.getting)
    # The same study is there under another patient's name.
    for known in archive.orthanc.get("/studies"):
        archive.orthanc.client.delete(f"/studies/{known}").raise_for_status()
    other = {"PatientID": "P2", "StudyInstanceUID": "1.2.3.1", "SeriesInstanceUID": "1.2.3.1.9"}
    archive.put(SOPInstanceUID="1.2.3.1.9.1", **other)
    query = StudyQuery(patient_id="P2")

    [result] = archive.fetch(archive.plan(query), archive.getting)

    assert (result.fetched, result.missing) == (0, ("1.2.3.1.9.1",))
    assert result.problems == ("Study Instance UID already belongs to another patient.",)
    assert not result.is_complete


def test_compressed_objects_come_as_they_are(
    archive: Archive, shared_data: Path, tmp_path: Path
) -> None:
    scan = shared_data / "oct" / "spectralis_circle_od" / "bscan_opt.dcm"
    dataset = dcmread(scan)
    dataset.compress(JPEG2000Lossless, generate_instance_uid=False)
    dataset.save_as(tmp_path / "compressed.dcm")
    content = (tmp_path / "compressed.dcm").read_bytes()
    archive.orthanc.client.post("/instances", content=content).raise_for_status()

    plans = archive.plan(StudyQuery(study_instance_uid=str(dataset.StudyInstanceUID)))
    [result] = archive.fetch(plans, archive.getting)

    assert result.is_complete
    with archive.node.database.reading() as session:
        [row] = session.exec(select(InstanceRow)).all()
    assert row.transfer_syntax_uid == JPEG2000Lossless
