"""The database goes away while associations end and the roll-up looks, and comes back."""

import threading
from collections.abc import Iterator

import pytest
from pynetdicom import AE
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]
from sqlmodel import select
from structlog.testing import capture_logs

from arcuate.waiting import wait_until
from core.database import Database
from core.settings import Settings
from core.tables.associations import EndedAssociationRow
from core.tables.study_summaries import StudySummaryRow
from dicom_node.rollup.watch import RollUp
from dicom_node.storage.bytes import Storage
from tests.builders.feed import arrive, source_of
from tests.fixtures.clockwork import QUIET
from tests.fixtures.dicom_server import DEVICE, Node, running_node
from tests.integration.test_database_away import away

_PATIENCE_SECONDS = 60.0


@pytest.fixture(params=["postgresql"])
def database_url(request: pytest.FixtureRequest, database_url: str) -> str:
    """Only PostgreSQL can go away: SQLite is a file beside the bytes."""
    return database_url


@pytest.fixture
def node(settings: Settings, database: Database) -> Iterator[Node]:
    with running_node(settings, database) as running:
        yield running


def test_association_that_ends_meanwhile_is_written_down_later(node: Node) -> None:
    entity = AE(DEVICE)
    entity.add_requested_context(Verification)
    associations = [entity.associate("127.0.0.1", node.port, ae_title="ARCUATE") for _ in range(3)]
    with away(node.database):
        for association in associations:
            association.release()
        # The node has noticed: whoever calls now is put off.
        late = entity.associate("127.0.0.1", node.port, ae_title="ARCUATE")
        assert not late.is_established

    def ended() -> int:
        with node.database.reading() as session:
            return len(session.exec(select(EndedAssociationRow)).all())

    assert wait_until(lambda: ended() == len(associations), _PATIENCE_SECONDS)


def test_roll_up_goes_on_by_itself(settings: Settings, database: Database) -> None:
    storage = Storage(settings.storage)
    storage.prepare()
    stopping = threading.Event()
    roll_up = RollUp(database, storage, QUIET)
    thread = threading.Thread(target=roll_up.run, args=(stopping,))

    def opened() -> bool:
        with database.reading() as session:
            return session.exec(select(StudySummaryRow)).first() is not None

    with capture_logs() as logged:
        thread.start()
        with away(database):
            assert wait_until(
                lambda: any(line["event"] == "infrastructure_away" for line in logged),
                _PATIENCE_SECONDS,
            )
        with database.transaction() as session:
            arrive(session, source_of(1))
        assert wait_until(opened, _PATIENCE_SECONDS)
    stopping.set()
    thread.join(_PATIENCE_SECONDS)

    assert not thread.is_alive()
