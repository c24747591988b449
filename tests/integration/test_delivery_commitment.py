"""Storage commitment asked for, heard on the association we asked on and on one of the peer's."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copyfile

import pytest
from pydicom import Dataset
from pydicom.sequence import Sequence
from pynetdicom import AE, build_role, evt
from pynetdicom.events import Event
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    Comprehensive3DSRStorage,
    SecondaryCaptureImageStorage,
    StorageCommitmentPushModel,
)

from core.database import Database
from core.settings import Settings
from dicom_node.peers import add_peer
from tests.builders.received import open_test_archive
from tests.builders.sent_report import SentReports
from tests.fixtures.commitment_device import WELL_KNOWN_INSTANCE
from tests.fixtures.dicom_server import DEVICE, Node, running_node

PEER = "PEER"
NO_SUCH_OBJECT = 0x0112
CLASSES = (Comprehensive3DSRStorage, SecondaryCaptureImageStorage)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(
        update={
            "ae_title": "ARCUATE",
            "delivery_answer_seconds": 5.0,
            "delivery_commitment_seconds": 3600.0,
        }
    )


@pytest.fixture
def node(settings: Settings, database: Database) -> Iterator[Node]:
    with running_node(settings, database) as running:
        with database.transaction() as session:
            add_peer(session, PEER, "127.0.0.1")
        yield running


@dataclass
class CommittingPeer:
    """A peer that takes everything; what it was asked to commit to, by Transaction UID."""

    asked: dict[str, list[Dataset]] = field(default_factory=dict)
    stored: list[str] = field(default_factory=list)

    @contextmanager
    def listening(self, offers_commitment: bool = True, port: int = 0) -> Generator[int]:
        entity = AE(PEER)
        for uid in CLASSES:
            entity.add_supported_context(uid)
        if offers_commitment:
            entity.add_supported_context(StorageCommitmentPushModel, scu_role=True, scp_role=True)
        handlers = [(evt.EVT_N_ACTION, self._take), (evt.EVT_C_STORE, self._store)]
        server = entity.start_server(("127.0.0.1", port), block=False, evt_handlers=handlers)
        assert server is not None
        try:
            yield server.socket.getsockname()[1]
        finally:
            entity.shutdown()

    def report(
        self, node: Node, transaction_uid: str, failed: int = 0, event_type: int | None = None
    ) -> int:
        """Report on an association of its own; the first `failed` of them are not there."""
        references = self.asked.get(transaction_uid, [_reference("1.2.3")])
        information = Dataset()
        information.TransactionUID = transaction_uid
        information.ReferencedSOPSequence = Sequence(references[failed:])
        for item in references[:failed]:
            item.FailureReason = NO_SUCH_OBJECT
        if failed:
            information.FailedSOPSequence = Sequence(references[:failed])
        return self.send(node, information, event_type or (2 if failed else 1))

    def send(self, node: Node, information: Dataset, event_type: int = 1) -> int:
        entity = AE(PEER)
        entity.add_requested_context(StorageCommitmentPushModel)
        association = entity.associate(
            "127.0.0.1",
            node.port,
            ae_title="ARCUATE",
            ext_neg=[build_role(StorageCommitmentPushModel, scp_role=True)],
        )
        assert association.is_established
        try:
            answer, _ = association.send_n_event_report(
                information, event_type, StorageCommitmentPushModel, WELL_KNOWN_INSTANCE
            )
            return int(answer.Status)
        finally:
            association.release()

    def _take(self, event: Event) -> tuple[int, None]:
        information = event.action_information
        self.asked[information.TransactionUID] = list(information.ReferencedSOPSequence)
        return 0x0000, None

    def _store(self, event: Event) -> int:
        self.stored.append(str(event.request.AffectedSOPInstanceUID))
        return 0x0000


def _reference(uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = Comprehensive3DSRStorage, uid
    return item


def add_destination(reports: SentReports, port: int, ae_title: str = PEER) -> None:
    with reports.archive.database.transaction() as session:
        add_peer(session, ae_title, "127.0.0.1", port)
    reports.add("pacs", "dicom_peer", ae_title)


def commitments(reports: SentReports) -> list[tuple[str, str | None]]:
    return [(row.state, row.commitment) for row in reports.deliveries()]


def test_peer_reports_on_an_association_of_its_own(node: Node, settings: Settings) -> None:
    reports, peer = SentReports(node.archive, settings), CommittingPeer()
    with peer.listening() as port:
        add_destination(reports, port)
        reports.keep_reports()
        reports.deliver()
    [(transaction_uid, asked)] = peer.asked.items()
    assert [item.ReferencedSOPInstanceUID for item in asked] == reports.uids() == peer.stored
    assert commitments(reports) == [("delivered", "asked")] * 2

    assert peer.report(node, transaction_uid) == 0x0000

    assert commitments(reports) == [("committed", "committed")] * 2


def test_arcuate_reports_on_the_association_it_was_asked_on(
    settings: Settings, database: Database, tmp_path: Path, sqlite_template: Path
) -> None:
    """A second node is the PACS: it does not know where we listen, so it tells us there."""
    copyfile(sqlite_template, tmp_path / "pacs.db")
    pacs_database = Database(f"sqlite:///{tmp_path / 'pacs.db'}")
    pacs_settings = settings.model_copy(update={"home": tmp_path / "pacs", "ae_title": "ARCUATE"})
    ours = settings.model_copy(update={"ae_title": DEVICE})
    reports = SentReports(open_test_archive(ours, database), ours)
    with running_node(pacs_settings, pacs_database) as pacs:
        add_destination(reports, pacs.port, "ARCUATE")
        reports.keep_reports()
        reports.deliver()

    assert commitments(reports) == [("committed", "committed")] * 2
    pacs_database.close()


def test_what_the_peer_says_it_lacks_is_sent_once_more(node: Node, settings: Settings) -> None:
    reports, peer = SentReports(node.archive, settings), CommittingPeer()
    with peer.listening() as port:
        add_destination(reports, port)
        reports.keep_reports()
        reports.deliver()
        first = next(iter(peer.asked))
        assert peer.report(node, first, failed=1) == 0x0000
        assert commitments(reports) == [("waiting", None), ("committed", "committed")]

        reports.deliver()

        assert peer.stored == [*reports.uids(), reports.uids()[0]]
        second = next(uid for uid in peer.asked if uid != first)
        assert peer.report(node, second) == 0x0000
    assert commitments(reports) == [("committed", "committed")] * 2


def test_peer_that_offers_no_commitment_is_shown_as_not_committed(
    node: Node, settings: Settings
) -> None:
    reports, peer = SentReports(node.archive, settings), CommittingPeer()
    with peer.listening(offers_commitment=False) as port:
        add_destination(reports, port)
        reports.keep_reports()
        reports.deliver()

    assert commitments(reports) == [("delivered", "not_committed")] * 2
    assert "does not accept Storage Commitment" in str(reports.deliveries()[0].error)
    assert reports.jobs() == []


def test_peer_that_never_reports_is_asked_again_and_then_no_more(
    node: Node, settings: Settings
) -> None:
    reports, peer = SentReports(node.archive, settings), CommittingPeer()
    reports.settings = settings.model_copy(update={"delivery_answer_seconds": 1.0})
    with peer.listening() as port:
        add_destination(reports, port)
        reports.keep_reports()
        for _ in range(4):
            reports.deliver()
            reports.hurry()

    assert len(peer.asked) == 3
    assert reports.destination("pacs").circuit == "closed"
    assert commitments(reports) == [("delivered", "not_committed")] * 2
    assert peer.report(node, next(iter(peer.asked))) == 0x0000
    assert commitments(reports) == [("committed", "committed")] * 2


def test_request_that_found_nobody_is_made_once_the_peer_is_back(
    node: Node, settings: Settings
) -> None:
    reports, peer = SentReports(node.archive, settings), CommittingPeer()
    with peer.listening() as port:
        add_destination(reports, port)
        reports.keep_reports()
        reports.deliver()
    reports.hurry()
    reports.deliver()
    assert reports.destination("pacs").circuit == "open"
    assert {row.commitment_requests for row in reports.deliveries()} == {1}

    with peer.listening(port=port):
        reports.hurry()
        reports.deliver()

    assert len(peer.asked) == 2
    assert reports.destination("pacs").circuit == "closed"


def _without_transaction() -> Dataset:
    information = Dataset()
    information.ReferencedSOPSequence = Sequence([_reference("1.2.3")])
    return information


def _without_sequence() -> Dataset:
    information = Dataset()
    information.TransactionUID = "1.2.3"
    return information


def _with_malformed_uid() -> Dataset:
    information = _without_transaction()
    information.add_new("TransactionUID", "UI", "1.2.x")
    return information


@pytest.mark.parametrize(
    ("make", "event_type", "status"),
    [
        (_without_transaction, 1, 0x0120),
        (_without_sequence, 1, 0x0120),
        (_with_malformed_uid, 1, 0x0115),
        (_without_sequence, 9, 0x0113),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
def test_malformed_report_is_refused(
    node: Node, make: Callable[[], Dataset], event_type: int, status: int
) -> None:
    assert CommittingPeer().send(node, make(), event_type) == status


def test_report_of_a_transaction_we_never_began_is_refused(node: Node) -> None:
    assert CommittingPeer().report(node, "1.2.3.4.5") == 0x0115
