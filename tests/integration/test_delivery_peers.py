"""Results sent to DICOM peers of every kind, by DCMTK and pynetdicom."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from highdicom.sr import srread
from pydicom import dcmread
from pynetdicom import AE, evt
from pynetdicom.events import Event
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    Comprehensive3DSRStorage,
    ComprehensiveSRStorage,
    SecondaryCaptureImageStorage,
    StorageCommitmentPushModel,
)

from core.database import Database
from core.settings import Settings
from dicom_node.peers import add_peer
from tests.builders.received import open_test_archive
from tests.builders.sent_report import SentReports
from tests.fixtures.certificates import Certificate
from tests.fixtures.storescp import STORESCP, running_storescp
from tests.fixtures.tls import Keys

PEER = "PEER"
NOT_SUPPORTED, OUT_OF_RESOURCES, CANNOT_UNDERSTAND = 0x0122, 0xA700, 0xC000


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"delivery_answer_seconds": 5.0, "delivery_attempts": 2})


@pytest.fixture
def reports(settings: Settings, database: Database) -> Iterator[SentReports]:
    return SentReports(open_test_archive(settings, database), settings)


def add_destination(reports: SentReports, port: int, ae_title: str = PEER, **given: Any) -> None:
    with reports.archive.database.transaction() as session:
        add_peer(session, ae_title, "127.0.0.1", port)
    reports.add("pacs", "dicom_peer", ae_title, **given)


@contextmanager
def peer(answer: Callable[[Event], int], classes: tuple[str, ...]) -> Generator[int]:
    """A store SCP that answers as it is told."""
    entity = AE(PEER)
    for uid in classes:
        entity.add_supported_context(uid)
    server = entity.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, answer)]
    )
    assert server is not None
    try:
        yield server.socket.getsockname()[1]
    finally:
        entity.shutdown()


REPORT_CLASSES = (
    Comprehensive3DSRStorage,
    ComprehensiveSRStorage,
    SecondaryCaptureImageStorage,
)


def test_peer_that_takes_no_comprehensive_3d_sr_gets_comprehensive_sr(
    reports: SentReports, tmp_path: Path, need: Callable[[str], None]
) -> None:
    need("storescp")
    classes = ["ComprehensiveSRStorage", "SecondaryCaptureImageStorage"]
    with running_storescp(tmp_path / "scp", classes) as scp:
        add_destination(reports, scp.port, STORESCP, commitment="no")
        reports.keep_reports()
        reports.deliver()

        kept = {dcmread(path).SOPClassUID: path for path in scp.files}
        report = dcmread(kept[ComprehensiveSRStorage])
        assert (
            len(srread(kept[ComprehensiveSRStorage]).content.get_image_measurement_groups()) == 53
        )
    assert set(kept) == {ComprehensiveSRStorage, SecondaryCaptureImageStorage}
    row = reports.deliveries()[0]
    assert (row.state, row.sent_sop_class_uid) == ("delivered", ComprehensiveSRStorage)
    assert row.sent_sop_instance_uid == report.SOPInstanceUID != reports.uids()[0]
    assert reports.destination("pacs").learned == {"takes_comprehensive_sr_only": True}


def test_peer_that_reads_implicit_vr_only_gets_that(
    reports: SentReports, tmp_path: Path, need: Callable[[str], None]
) -> None:
    need("storescp")
    classes = ["Comprehensive3DSRStorage", "SecondaryCaptureImageStorage"]
    with running_storescp(tmp_path / "scp", classes, ["implicit"]) as scp:
        add_destination(reports, scp.port, STORESCP, commitment="no")
        reports.keep_reports()
        reports.deliver()

        kept = [dcmread(path) for path in scp.files]
    assert {str(d.file_meta.TransferSyntaxUID) for d in kept} == {"1.2.840.10008.1.2"}
    assert sorted(d.SOPInstanceUID for d in kept) == sorted(reports.uids())


def test_reports_go_over_tls(
    settings: Settings, database: Database, keys: Keys, tmp_path: Path, need: Callable[[str], None]
) -> None:
    need("storescp")
    calling = shows(settings, keys.device).model_copy(
        update={"tls_peer_ca": str(keys.authority.certificate.path)}
    )
    reports = SentReports(open_test_archive(calling, database), calling)
    trusted = ["+cf", keys.authority.certificate.path]
    tls = ["+tls", keys.server.key, keys.server.path, *trusted]
    with running_storescp(tmp_path / "scp", options=tls) as scp:
        with database.transaction() as session:
            add_peer(session, STORESCP, "127.0.0.1", scp.port, tls=True)
        reports.add("pacs", "dicom_peer", STORESCP, commitment="no")
        reports.keep_reports()
        reports.deliver()

        assert sorted(dcmread(path).SOPInstanceUID for path in scp.files) == sorted(reports.uids())
    assert reports.states() == ["delivered", "delivered"]


def shows(settings: Settings, shown: Certificate) -> Settings:
    return settings.model_copy(update={"tls_cert": str(shown.path), "tls_key": str(shown.key)})


def test_refusal_by_status_makes_the_next_ones_go_in_the_other_class(reports: SentReports) -> None:
    asked: list[str] = []

    def answer(event: Event) -> int:
        asked.append(str(event.request.AffectedSOPClassUID))
        return NOT_SUPPORTED if asked[-1] == Comprehensive3DSRStorage else 0x0000

    with peer(answer, REPORT_CLASSES) as port:
        add_destination(reports, port, commitment="no", report_kinds=["sr"])
        reports.keep_reports(1)
        reports.deliver()
        reports.keep_reports(1)
        reports.deliver()

    assert asked == [Comprehensive3DSRStorage, ComprehensiveSRStorage, ComprehensiveSRStorage]
    assert reports.states() == ["delivered", "delivered"]


def test_what_no_retry_helps_is_given_up_while_others_behind_it_go_on(reports: SentReports) -> None:
    with peer(lambda _event: 0x0000, (SecondaryCaptureImageStorage,)) as port:
        add_destination(reports, port, commitment="no")
        reports.keep_reports(2)
        reports.deliver()

    assert [(row.report_kind, row.state) for row in reports.deliveries()] == [
        ("sr", "gave_up"),
        ("sc", "delivered"),
        ("sr", "gave_up"),
        ("sc", "delivered"),
    ]
    assert reports.deliveries()[0].error == "The peer does not accept Comprehensive 3D SR Storage"
    assert reports.jobs() == []


def test_object_that_fails_is_tried_again_alone_and_given_up_while_others_arrive(
    reports: SentReports,
) -> None:
    def answer(event: Event) -> int:
        bad = event.request.AffectedSOPInstanceUID == reports.uids()[0]
        return OUT_OF_RESOURCES if bad else 0x0000

    with peer(answer, REPORT_CLASSES) as port:
        add_destination(reports, port, commitment="no", report_kinds=["sr"])
        reports.keep_reports(2)
        reports.deliver()
        assert reports.states() == ["waiting", "delivered"]

        reports.hurry()
        reports.deliver()

    bad = reports.deliveries()[0]
    assert (bad.state, bad.attempts, bad.error) == ("gave_up", 2, "The peer answered 0xA700")


def test_comment_of_a_peer_is_not_kept(reports: SentReports) -> None:
    def answer(event: Event) -> Any:
        from pydicom import Dataset

        status = Dataset()
        status.Status, status.ErrorComment = CANNOT_UNDERSTAND, "Test^Eye is unknown here"
        return status

    with peer(answer, REPORT_CLASSES) as port:
        add_destination(reports, port, commitment="no")
        reports.keep_reports()
        reports.deliver()

    assert {row.error for row in reports.deliveries()} == {"The peer answered 0xC000"}


def test_peer_that_hangs_up_gets_the_rest_on_another_association(reports: SentReports) -> None:
    hung_up: list[str] = []

    def answer(event: Event) -> int:
        if not hung_up:
            hung_up.append(str(event.request.AffectedSOPInstanceUID))
            event.assoc.abort()
        return 0x0000

    with peer(answer, REPORT_CLASSES) as port:
        add_destination(reports, port, commitment="no")
        reports.keep_reports(2)
        reports.deliver()
        assert reports.states() == ["waiting", "delivered", "delivered", "delivered"]
        reports.hurry()
        reports.deliver()

    assert reports.states() == ["delivered"] * 4
    assert hung_up == reports.uids()[:1]


def test_peer_that_lets_us_in_no_more_is_waited_for(reports: SentReports) -> None:
    entity = AE("OTHER")
    entity.require_called_aet = True
    entity.add_supported_context(StorageCommitmentPushModel)
    server = entity.start_server(("127.0.0.1", 0), block=False)
    assert server is not None
    try:
        add_destination(reports, server.socket.getsockname()[1])
        reports.keep_reports()
        reports.deliver()
    finally:
        entity.shutdown()

    assert [(row.state, row.attempts) for row in reports.deliveries()] == [("waiting", 0)] * 2
    down = reports.destination("pacs")
    assert down.circuit == "open"
    assert "rejected the association" in str(down.last_error)
