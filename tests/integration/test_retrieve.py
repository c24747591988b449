"""Fetching from archives of other habits, and what the command says of it."""

import shutil
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom.events import Event
from sqlmodel import select

from arcuate.bench.ports import free_port
from core.calling_tls import CallingTLS
from core.database import Database
from core.settings import Settings
from core.tables.instances import InstanceRow
from core.tls import server_context
from dicom_node.calling_errors import PeerUnreachable
from dicom_node.peers import PeerAddress, add_peer
from dicom_node.retrieve.arriving import Arriving, Stream
from dicom_node.retrieve.catalogue import Wish, list_series
from dicom_node.retrieve.fetching import SeriesResult, fetch_all
from dicom_node.retrieve.get import Getting
from dicom_node.retrieve.move import Moving
from dicom_node.retrieve.plan import SeriesPlan, plan_series
from dicom_node.retrieve.query import StudyQuery, querying
from dicom_node.scu.store import send
from tests.builders.encoded_instance import as_file, build_instance, encode_instance
from tests.fixtures.audit_trail import audited, told
from tests.fixtures.dcmqrscp import QRSCP, running_dcmqrscp
from tests.fixtures.dicom_server import Node, running_node
from tests.fixtures.query_archive import QueryArchive
from tests.fixtures.tls import Keys
from tests.integration.test_cli import Terminal

STUDY = StudyQuery(study_instance_uid="1.2.3.1")


@pytest.fixture
def node(settings: Settings, database: Database) -> Iterator[Node]:
    with running_node(settings, database) as running:
        yield running


def build(number: int, **attributes: object) -> Dataset:
    dataset = build_instance(SOPInstanceUID=f"1.2.3.1.1.{number}", **attributes)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return dataset


def plan(
    node: Node, peer: PeerAddress, settings: Settings, query: StudyQuery = STUDY
) -> list[SeriesPlan]:
    with querying(peer, "ARCUATE", CallingTLS(settings)) as asking:
        return [plan_series(node.database, one) for one in list_series(asking, query, Wish())]


def fetch(node: Node, peer: PeerAddress, settings: Settings) -> list[SeriesResult]:
    tls = CallingTLS(settings)
    getting = Getting(peer, "ARCUATE", node.archive, tls)
    moving = Moving(peer, "ARCUATE", node.database, tls)
    plans = plan(node, peer, settings)
    return list(fetch_all(plans, node.database, getting, instead=moving))


def kept(node: Node) -> set[str]:
    with node.database.reading() as session:
        return set(session.exec(select(InstanceRow.sop_instance_uid)).all())


def test_dcmqrscp_is_fetched_from_by_c_get_and_else_by_c_move(
    node: Node, settings: Settings, tmp_path: Path, need: Callable[[str], None]
) -> None:
    need("dcmqrscp")
    scan = tmp_path / "scan.dcm"
    scan.write_bytes(as_file(encode_instance(PixelData=bytes(500_000))))
    with node.database.transaction() as session:
        add_peer(session, QRSCP, "127.0.0.1")
    for options, uid in ((), "1.2.3.1.1.1"), (("--disable-get",), "1.2.3.1.1.2"):
        scan.write_bytes(as_file(encode_instance(SOPInstanceUID=uid, PixelData=bytes(500_000))))
        folder = tmp_path / f"archive{uid[-1]}"
        with running_dcmqrscp(folder, node.address, *options) as archive:
            assert [one.status for one in send([scan], archive, "ARCUATE")] == [0]

            [result] = fetch(node, archive, settings)

        assert (result.fetched, result.is_complete) == (1, True), result

    assert kept(node) == {"1.2.3.1.1.1", "1.2.3.1.1.2"}


def test_what_is_fetched_by_c_get_leaves_an_entry(node: Node, settings: Settings) -> None:
    with QueryArchive([build(1), build(2, PatientID="")]).running() as peer:
        fetch(node, peer, settings)

    [row] = [row for row in audited(node.database) if row.detail.get("service") == "C-GET"]
    assert told(row) == ("arcuate", "store", "study", "1.2.3.1", [1], "success")
    assert (row.detail["count"], row.detail["refused"]) == (1, 1)


def test_it_is_fetched_over_tls(tls_settings: Settings, database: Database, keys: Keys) -> None:
    shown = {"tls_cert": str(keys.device.path), "tls_key": str(keys.device.key)}
    theirs = server_context(tls_settings.model_copy(update=shown), asks_for_certificate=True)
    archive = QueryArchive([build(1, PixelData=bytes(2_000_000)), build(2)])
    with running_node(tls_settings, database) as node, archive.running(theirs) as peer:
        [result] = fetch(node, peer, tls_settings)

        assert (result.fetched, result.is_complete) == (2, True)


def test_an_object_larger_than_a_pdu_never_stands_in_memory(
    node: Node, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    gathered: dict[str, type] = {}
    keep = Arriving.handle_store

    def note(arriving: Arriving, event: Event) -> Dataset:
        request: Any = event.request
        gathered[request.AffectedSOPInstanceUID] = type(request.DataSet)
        return keep(arriving, event)

    monkeypatch.setattr(Arriving, "handle_store", note)
    with QueryArchive([build(1), build(2, PixelData=bytes(1_000_000))]).running() as peer:
        [result] = fetch(node, peer, settings)

    assert result.is_complete
    assert gathered == {"1.2.3.1.1.1": BytesIO, "1.2.3.1.1.2": Stream}


def test_an_archive_without_the_image_level_gives_whole_series(
    node: Node, settings: Settings
) -> None:
    archive = QueryArchive([build(1), build(2)], knows_images=False)
    with archive.running() as peer:
        [first] = fetch(node, peer, settings)
        [second] = fetch(node, peer, settings)

    assert (first.plan.series.instances, first.fetched, first.is_complete) == (None, 2, True)
    # Sent again, and known: no harm.
    assert (second.is_complete, len(kept(node))) == (True, 2)


def test_an_archive_that_ignores_what_is_asked_gives_no_other_patient(
    node: Node, settings: Settings
) -> None:
    other = {"StudyInstanceUID": "1.2.3.2", "SeriesInstanceUID": "1.2.3.2.1", "PatientID": "P2"}
    archive = QueryArchive([build(1), build(2, **other)], ignores_keys=True)
    with archive.running() as peer:
        by_study = plan(node, peer, settings)
        by_patient = plan(node, peer, settings, StudyQuery(patient_id="P2"))

    assert [one.series.study_instance_uid for one in by_study] == ["1.2.3.1"]
    assert [one.series.study_instance_uid for one in by_patient] == ["1.2.3.2"]


def test_a_retrieval_that_is_broken_off_goes_on_the_next_time(
    node: Node, settings: Settings
) -> None:
    instances = [build(number, PixelData=bytes(300_000)) for number in range(1, 5)]
    archive = QueryArchive(instances, breaks_off_after=2)
    with archive.running() as peer:
        [broken] = fetch(node, peer, settings)
        archive.breaks_off_after = None
        [finished] = fetch(node, peer, settings)

    assert (broken.fetched, len(broken.missing), broken.is_complete) == (2, 2, False)
    assert broken.problems == (f"{peer} fell silent, or ended the association",)
    assert (finished.fetched, finished.plan.kept_before, finished.is_complete) == (2, 2, True)
    assert list((node.archive.storage.root / ".unfinished").iterdir()) == []


def test_an_archive_that_ends_every_association_is_given_up(node: Node, settings: Settings) -> None:
    instances = [build(n, SeriesInstanceUID=f"1.2.3.1.{n}") for n in range(1, 7)]
    archive = QueryArchive(instances, breaks_off_after=0)
    results: list[SeriesResult] = []
    with archive.running() as peer:
        getting = Getting(peer, "ARCUATE", node.archive, CallingTLS(settings))
        plans = plan(node, peer, settings)
        with pytest.raises(PeerUnreachable, match="Given up after 3 series"):
            results.extend(fetch_all(plans, node.database, getting, instead=getting))

    assert (len(plans), kept(node)) == (6, set())


def test_a_receiver_the_archive_cannot_reach_is_told_with_what_to_look_at(
    node: Node, settings: Settings, tmp_path: Path, need: Callable[[str], None]
) -> None:
    need("dcmqrscp")
    scan = tmp_path / "scan.dcm"
    scan.write_bytes(as_file(encode_instance()))
    elsewhere = PeerAddress("ARCUATE", "127.0.0.1", free_port())
    with running_dcmqrscp(tmp_path / "archive", elsewhere, "--disable-get") as archive:
        assert [one.status for one in send([scan], archive, "ARCUATE")] == [0]

        [result] = fetch(node, archive, settings)

    assert (result.fetched, result.missing) == (0, ("1.2.3.1.1.1",))
    [problem] = result.problems
    assert problem.endswith(
        "Does our receiver run, does QRSCP know where ARCUATE listens, and may it call us "
        "(`arcuate peers callers`)?"
    )


def test_an_archive_that_offers_neither_says_so(node: Node, settings: Settings) -> None:
    with QueryArchive([build(1)]).running(offers_get=False) as peer:
        [result] = fetch(node, peer, settings)

    assert result.problems == (f"{peer} does not offer C-MOVE (Study Root)",)
    assert result.missing == ("1.2.3.1.1.1",)


def test_an_archive_that_is_away_is_told(node: Node, settings: Settings) -> None:
    away = PeerAddress("AWAY", "127.0.0.1", 1)
    with pytest.raises(PeerUnreachable):
        plan(node, away, settings)


@pytest.fixture
def terminal(tmp_path: Path, sqlite_template: Path) -> Terminal:
    (tmp_path / "home").mkdir()
    shutil.copyfile(sqlite_template, tmp_path / "home" / "arcuate.db")
    return Terminal(tmp_path, tmp_path / "home")


def test_the_command_lists_fetches_and_says_what_came(terminal: Terminal) -> None:
    archive = QueryArchive([build(1), build(2)])
    with archive.running() as peer:
        terminal("peers", "add", "ARCHIVE", "--host", "127.0.0.1", "--port", peer.port)
        call = ("retrieve", "--from", "ARCHIVE", "--study", "1.2.3.1")

        listed = terminal(*call, "--dry-run", "--json")
        fetched = terminal(*call)
        again = terminal(*call, "--json")
        nothing = terminal("retrieve", "--from", "ARCHIVE", "--study", "1.2.3.404")

    assert (listed.code, fetched.code, again.code, nothing.code) == (0, 0, 0, 1)
    assert [(one["modality"], one["to_fetch"]) for one in listed.json] == [("OPT", 2)]
    assert fetched.out == "fetched   2 of 2  1.2.3.1.1\n"
    assert fetched.err == "2 fetched, 0 failed, 0 kept before.\n"
    assert again.json == []
    assert nothing.err.startswith("Nothing there is what was asked for.")


@pytest.mark.parametrize(
    "words",
    [(), ("--study", "1.2", "--patient", "P1"), ("--patient", "P*"), ("--date", "yesterday")],
)
def test_a_retrieval_of_nothing_in_particular_is_wrong_use(
    terminal: Terminal, words: tuple[str, ...]
) -> None:
    assert terminal("retrieve", "--from", "PACS", *words).code == 2
