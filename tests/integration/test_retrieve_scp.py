"""C-GET and C-MOVE from us, by DCMTK, by pynetdicom and by Orthanc."""

import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from shutil import copyfile
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
)
from sqlmodel import col, update

from arcuate.bench.ports import free_port
from core.clock import utc_now
from core.database import Database
from core.settings import Settings
from core.tables.instances import InstanceRow
from dicom_node.peers import PeerAddress, add_peer
from dicom_node.scu.echo import echo
from dicom_node.storage.ingest import ingest
from tests.builders.encoded_instance import encode_instance
from tests.builders.frames import frames_instance, grey_frames
from tests.fixtures.dicom_server import DEVICE, Node, running_node
from tests.fixtures.orthanc import ORTHANC, running_orthanc
from tests.fixtures.retrieving_device import (
    PATIENT_GET,
    STUDY_GET,
    RetrievingDevice,
    counts,
    identifier,
    listening,
)
from tests.fixtures.storescp import STORESCP, running_storescp
from tests.fixtures.tls import Keys

LARGE = 5_000_000
#: What these tests show does not depend on the database; the selection does, and runs on both.
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def node(settings: Settings, database: Database) -> Iterator[Node]:
    with running_node(settings, database) as running:
        yield running


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Node]:
    """A node for tests that tell their objects from each other's."""
    home = tmp_path_factory.mktemp("node")
    copyfile(sqlite_template, home / "arcuate.db")
    database = Database(f"sqlite:///{home}/arcuate.db")
    settings = Settings(home=home, database_url=f"sqlite:///{home}/arcuate.db", dicom_port=0)
    with running_node(settings, database) as running:
        yield running
    database.close()


def keep(
    node: Node, study: str = "1.2.3.1", series: int = 1, number: int = 1, **more: Any
) -> bytes:
    """Keep an instance; return its encoded data set."""
    encoded = encode_instance(
        StudyInstanceUID=study,
        SeriesInstanceUID=f"{study}.{series}",
        SOPInstanceUID=f"{study}.{series}.{number}",
        **more,
    )
    ingest(node.archive, encoded)
    return encoded.data_set


def keep_study(node: Node) -> dict[str, str]:
    """Keep four instances of two series; return their digests by UID."""
    kept = {
        "1.2.3.1.1.1": keep(node),
        "1.2.3.1.1.2": keep(node, number=2, PixelData=bytes(LARGE)),
        "1.2.3.1.2.1": keep(node, series=2),
        "1.2.3.1.2.2": keep(node, series=2, number=2),
    }
    keep(node, study="1.2.3.2")
    return {uid: sha256(content).hexdigest() for uid, content in kept.items()}


def digests(files: Sequence[Path]) -> dict[str, str]:
    found = {}
    for path in files:
        content = path.read_bytes()
        header = dcmread(path, stop_before_pixels=True)
        start = 144 + header.file_meta.FileMetaInformationGroupLength
        found[str(header.SOPInstanceUID)] = sha256(content[start:]).hexdigest()
    return found


def dcmtk(program: str, node: Node, *arguments: str) -> str:
    done = subprocess.run(
        [program, "-v", *node.dcmtk, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "Release Failed" not in done.stderr
    return done.stdout + done.stderr


def words(**values: str) -> list[str]:
    return [word for name, value in values.items() for word in ("-k", f"{name}={value}")]


STUDY = {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": "1.2.3.1"}
SERIES = {**STUDY, "QueryRetrieveLevel": "SERIES", "SeriesInstanceUID": "1.2.3.1.2"}
IMAGE = {**SERIES, "QueryRetrieveLevel": "IMAGE", "SOPInstanceUID": "1.2.3.1.2.1\\1.2.3.1.2.2"}
PATIENT = {"QueryRetrieveLevel": "PATIENT", "PatientID": "P1"}


def test_getscu_gets_every_level_byte_for_byte(
    node: Node, tmp_path: Path, need: Callable[[str], None]
) -> None:
    need("getscu")
    kept = keep_study(node)

    for name, level, expected in (("study", STUDY, 4), ("series", SERIES, 2), ("image", IMAGE, 2)):
        folder = tmp_path / name
        folder.mkdir()
        said = dcmtk("getscu", node, "-S", *words(**level), "-od", str(folder), "+B")
        found = digests(list(folder.iterdir()))
        assert len(found) == expected, said
        assert found.items() <= kept.items()
    folder = tmp_path / "patient"
    folder.mkdir()
    dcmtk("getscu", node, "-P", *words(**PATIENT), "-od", str(folder), "+B")
    assert len(list(folder.iterdir())) == 5


def test_movescu_sends_to_a_peer_byte_for_byte(
    node: Node, tmp_path: Path, need: Callable[[str], None]
) -> None:
    need("movescu")
    kept = keep_study(node)

    with running_storescp(tmp_path, options=["+B"]) as destination:
        add(node, STORESCP, destination.port)
        said = dcmtk("movescu", node, "-S", "-aem", STORESCP, *words(**STUDY))
        assert digests(destination.files) == kept, said
        assert "Move Originator" in destination.log.read_text()


def add(node: Node, ae_title: str, port: int) -> None:
    with node.database.transaction() as session:
        add_peer(session, ae_title, "127.0.0.1", port)


def test_orthanc_pulls_from_us(node: Node, tmp_path: Path, need: Callable[[str], None]) -> None:
    need("Orthanc")
    kept = keep_study(node)
    kept["1.2.3.1.3.1"] = ""
    ingest(node.archive, frames_instance(JPEG2000Lossless, **of_series(3)))

    with running_orthanc(tmp_path / "orthanc", node.address) as orthanc:
        add(node, ORTHANC, orthanc.dicom_port)
        orthanc.post(
            "/modalities/node/move",
            TargetAet=ORTHANC,
            Level="Study",
            Resources=[{"StudyInstanceUID": "1.2.3.1"}],
            Synchronous=True,
        )
        found = orthanc.get("/instances?expand")
        assert {one["MainDicomTags"]["SOPInstanceUID"] for one in found} == set(kept)
        [compressed] = [
            one["ID"] for one in found if one["MainDicomTags"]["SOPInstanceUID"] == "1.2.3.1.3.1"
        ]
        content = orthanc.client.get(f"/instances/{compressed}/file").content
    assert dcmread(BytesIO(content)).file_meta.TransferSyntaxUID == JPEG2000Lossless


def of_series(series: int) -> dict[str, str]:
    uid = f"1.2.3.1.{series}"
    return {"SeriesInstanceUID": uid, "SOPInstanceUID": f"{uid}.1"}


def remove_bytes(node: Node, *uids: str) -> None:
    known = col(InstanceRow.sop_instance_uid).in_(uids)
    with node.database.transaction() as session:
        session.execute(update(InstanceRow).where(known).values(bytes_removed_at=utc_now()))


@SQLITE
def test_get_tells_counts_as_it_goes(node: Node) -> None:
    kept = keep_study(node)
    device = RetrievingDevice()

    *pending, final = device.get(node.address, **STUDY)

    assert device.digests == kept
    remaining = [response.NumberOfRemainingSuboperations for response in pending]
    assert (remaining, {response.Status for response in pending}) == ([3, 2, 1, 0], {0xFF00})
    assert (final.Status, counts(final)) == (0x0000, (4, 0, 0))
    assert "NumberOfRemainingSuboperations" not in final


@pytest.mark.parametrize(
    ("stored", "option", "sent"),
    [
        (JPEG2000Lossless, "+xe", ExplicitVRLittleEndian),
        (JPEGLSLossless, "+xi", ImplicitVRLittleEndian),
        (DeflatedExplicitVRLittleEndian, "+xe", ExplicitVRLittleEndian),
        (ExplicitVRBigEndian, "+xi", ImplicitVRLittleEndian),
        (ExplicitVRLittleEndian, "+xi", ImplicitVRLittleEndian),
    ],
)
def test_what_a_peer_does_not_take_is_converted(
    shared: Node, stored: str, option: str, sent: str, tmp_path: Path
) -> None:
    study = f"1.2.3.{stored.rpartition('.')[2]}0.{option == '+xe':d}"
    uids = {"StudyInstanceUID": study, "SeriesInstanceUID": f"{study}.1"}
    instance = {"SOPInstanceUID": f"{study}.1.1"}
    encoded = frames_instance(stored, bits=16, **uids, **instance)
    ingest(shared.archive, encoded)

    with running_storescp(tmp_path, options=[option]) as destination:
        add(shared, STORESCP, destination.port)
        [*_, final] = RetrievingDevice().move(
            shared.address, STORESCP, **{**STUDY, "StudyInstanceUID": study}
        )
        [path] = destination.files

    assert (final.Status, counts(final)) == (0x0000, (1, 0, 0))
    dataset = dcmread(path)
    assert dataset.file_meta.TransferSyntaxUID == sent
    assert np.array_equal(dataset.pixel_array, grey_frames(4, 16))
    assert dataset.PatientName == "Müller^Anna"
    taking = RetrievingDevice(syntaxes=(stored,))
    taking.get(shared.address, **{**STUDY, "StudyInstanceUID": study})
    assert taking.digests == {f"{study}.1.1": sha256(encoded.data_set).hexdigest()}


@SQLITE
def test_move_says_who_asked_for_it(node: Node) -> None:
    kept, viewer = keep_study(node), RetrievingDevice()

    with listening(viewer) as port:
        add(node, "VIEWER", port)
        [*_, final] = RetrievingDevice().move(node.address, "VIEWER", **STUDY)

    assert (final.Status, viewer.digests) == (0x0000, kept)
    assert viewer.originators == {(DEVICE, 77)}


def test_what_retention_removed_counts_as_failed(node: Node) -> None:
    keep_study(node)
    remove_bytes(node, "1.2.3.1.2.1")

    [*_, some] = RetrievingDevice().get(node.address, **STUDY)
    remove_bytes(node, "1.2.3.1.2.2")
    [*_, none] = RetrievingDevice().get(node.address, **SERIES)

    assert (some.Status, counts(some)) == (0xB000, (3, 1, 0))
    assert some.FailedSOPInstanceUIDList == "1.2.3.1.2.1"
    assert (none.Status, counts(none)) == (0xA702, (0, 2, 0))
    assert list(none.FailedSOPInstanceUIDList) == ["1.2.3.1.2.1", "1.2.3.1.2.2"]


@SQLITE
def test_peers_without_the_role_or_the_encoding_get_failures(node: Node) -> None:
    ingest(node.archive, frames_instance(JPEGLSLossless))

    [*_, no_role] = RetrievingDevice(takes_role=False).get(node.address, **STUDY)
    [*_, other] = RetrievingDevice(syntaxes=(JPEG2000Lossless,)).get(node.address, **STUDY)

    assert (no_role.Status, counts(no_role)) == (0xA702, (0, 1, 0))
    assert (other.Status, counts(other)) == (0xA702, (0, 1, 0))


@SQLITE
def test_refusals_and_warnings_of_the_peer_are_told(node: Node) -> None:
    keep_study(node)
    answers = iter((0xA700, 0xB000, 0x0000, 0xC000))

    [*_, final] = RetrievingDevice(answer=lambda _: next(answers)).get(node.address, **STUDY)

    assert (final.Status, counts(final)) == (0xB000, (1, 2, 1))
    assert list(final.FailedSOPInstanceUIDList) == ["1.2.3.1.1.1", "1.2.3.1.2.2"]


@pytest.mark.parametrize(
    ("model", "keys"),
    [
        ("study", {"QueryRetrieveLevel": "PATIENT", "PatientID": "P1"}),
        ("study", {"QueryRetrieveLevel": "STUDY"}),
        ("study", {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": ""}),
        ("study", {"StudyInstanceUID": "1.2.3.1"}),
        ("study", {"QueryRetrieveLevel": "SERIES", "SeriesInstanceUID": "1.2.3.1.1"}),
        ("study", {**SERIES, "StudyInstanceUID": ["1.2.3.1", "1.2.3.2"]}),
        ("study", {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": "1.2.*"}),
        ("study", {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": "../../etc"}),
        ("patient", {"QueryRetrieveLevel": "PATIENT", "PatientID": "P*"}),
        ("patient", {"QueryRetrieveLevel": "PATIENT", "PatientID": ["P1", "P2"]}),
        ("patient", {"QueryRetrieveLevel": "PATIENT", "PatientID": "P\x07"}),
        ("patient", STUDY),
    ],
)
def test_identifiers_that_are_none_are_a900(shared: Node, model: str, keys: dict[str, Any]) -> None:
    chosen = {"model": PATIENT_GET} if model == "patient" else {}

    [refused] = RetrievingDevice().get(shared.address, **chosen, **keys)

    assert refused.Status == 0xA900
    assert refused.ErrorComment
    echo(shared.address, DEVICE)


def test_a_patient_id_of_two_issuers_is_no_patient(node: Node) -> None:
    for issuer, study in (("A", "1.2.3.1"), ("B", "1.2.3.2")):
        keep(node, study=study, IssuerOfPatientID=issuer)
    device = RetrievingDevice()

    [refused] = device.get(node.address, PATIENT_GET, **PATIENT)
    [*_, final] = device.get(node.address, PATIENT_GET, **PATIENT, IssuerOfPatientID="B")

    assert (refused.Status, final.Status) == (0xA900, 0x0000)
    assert set(device.digests) == {"1.2.3.2.1.1"}


def test_what_is_not_kept_is_no_failure(node: Node) -> None:
    [final] = RetrievingDevice().get(
        node.address, QueryRetrieveLevel="STUDY", StudyInstanceUID="1.2.999"
    )

    assert (final.Status, counts(final)) == (0x0000, (0, 0, 0))


def test_unknown_and_unreachable_destinations_are_told(node: Node) -> None:
    keep_study(node)
    add(node, "GONE", free_port())

    [unknown] = RetrievingDevice().move(node.address, "NOBODY", **STUDY)
    # Known as a caller, but it listens nowhere.
    [no_port] = RetrievingDevice().move(node.address, DEVICE, **STUDY)
    [gone] = RetrievingDevice().move(node.address, "GONE", **STUDY)

    assert [unknown.Status, no_port.Status] == [0xA801, 0xA801]
    assert (gone.Status, counts(gone)) == (0xA702, (0, 4, 0))
    assert "does not answer" in gone.ErrorComment
    assert len(gone.FailedSOPInstanceUIDList) == 4


@SQLITE
def test_a_destination_that_aborts_on_one_instance_gets_the_others(node: Node) -> None:
    keep_study(node)
    viewer = RetrievingDevice()

    def abort_once(event: Any) -> int:
        if len(viewer.digests) == 2:
            event.assoc.abort()
        return 0x0000

    viewer.answer = abort_once
    with listening(viewer) as port:
        add(node, "VIEWER", port)
        [*_, final] = RetrievingDevice().move(node.address, "VIEWER", **STUDY)

    assert (final.Status, counts(final)) == (0xB000, (3, 1, 0))
    assert len(viewer.digests) == 4


@SQLITE
def test_cancel_stops_and_the_rest_is_counted(node: Node) -> None:
    keep_study(node)
    device = RetrievingDevice()

    with device.association(node.address) as opened:
        device.answer = lambda _: (opened.send_c_cancel(1, query_model=STUDY_GET), 0)[1]
        responses = [status for status, _ in opened.send_c_get(identifier(STUDY), STUDY_GET)]

    final = responses[-1]
    assert final.Status == 0xFE00
    assert final.NumberOfRemainingSuboperations > 0
    assert final.NumberOfRemainingSuboperations + final.NumberOfCompletedSuboperations == 4


@SQLITE
def test_slow_destination_holds_up_nobody_and_is_sent_in_bounded_memory(node: Node) -> None:
    keep(node, PixelData=bytes(20_000_000))
    viewer, goes_on = RetrievingDevice(), threading.Event()
    arrived = threading.Event()

    def wait(_event: Any) -> int:
        arrived.set()
        assert goes_on.wait(60)
        return 0x0000

    viewer.answer = wait
    with listening(viewer) as port:
        add(node, "VIEWER", port)
        moved: list[Any] = []
        asking = threading.Thread(
            target=lambda: moved.extend(RetrievingDevice().move(node.address, "VIEWER", **STUDY))
        )
        asking.start()
        assert arrived.wait(60)
        taken = RetrievingDevice()
        [*_, meanwhile] = taken.get(node.address, **STUDY)
        goes_on.set()
        asking.join(60)

    assert (meanwhile.Status, moved[-1].Status) == (0x0000, 0x0000)
    assert taken.digests == viewer.digests


@SQLITE
def test_retrieval_over_tls(tls_settings: Settings, database: Database, keys: Keys) -> None:
    with running_node(tls_settings, database) as node:
        kept = keep_study(node)
        device = RetrievingDevice(tls=keys.calling())
        [*_, final] = device.get(PeerAddress("ARCUATE", "127.0.0.1", node.tls_port), **STUDY)

    assert (final.Status, device.digests) == (0x0000, kept)
