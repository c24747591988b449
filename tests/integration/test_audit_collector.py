"""The trail goes to a collector that others wrote, and an outage of its loses nothing."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlmodel import select

from arcuate.bench.ports import free_port
from arcuate.waiting import wait_until
from core.audit.chain import chain_waiting
from core.audit.recording import append_audit
from core.database import Database
from core.settings import Settings
from core.tables.audit_entries import AuditCollectorRow
from core.values.audit import AuditAction
from core.values.identity import InstanceIdentity, PatientIdentity
from dicom_node.atna.syslog import CollectorAway, open_wire
from dicom_node.atna.telling import SETTLE_SECONDS, CollectorTeller
from tests.builders.archive import keep_instance
from tests.builders.audit import build_event, record_acts
from tests.fixtures.certificates import make_authority
from tests.fixtures.rsyslog import Collector, running_rsyslog
from tests.fixtures.tls import Keys

PATIENCE_SECONDS = 60.0


@contextmanager
def telling(database: Database, settings: Settings) -> Generator[None]:
    """Tell the collector until the block ends."""
    stopping = threading.Event()
    teller = CollectorTeller(database, settings, stopping)
    thread = threading.Thread(target=teller.run)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()


def acts(database: Database, count: int) -> None:
    record_acts(database, count)
    chain_waiting(database, None)


def arrived(collector: Collector, *numbers: int) -> bool:
    return wait_until(lambda: set(collector.entries()) >= {*numbers}, PATIENCE_SECONDS)


def tls_settings(settings: Settings, keys: Keys, port: int) -> Settings:
    trusted = str(keys.authority.certificate.path)
    named = {"audit_syslog": f"tls://127.0.0.1:{port}", "tls_peer_ca": trusted}
    return settings.model_copy(update=named)


def test_trail_arrives_over_tls_with_the_real_patient_id(
    settings: Settings, database: Database, keys: Keys, tmp_path: Path, need: Callable[[str], None]
) -> None:
    need("rsyslogd")
    port = free_port()
    with database.transaction() as session:
        patient = PatientIdentity("MRN-4711", issuer="CLINIC")
        keep_instance(session, patient, InstanceIdentity("1.2.3", "1.2.3.1", "1.2.3.1.1"))
    told = tls_settings(settings, keys, port)
    with (
        running_rsyslog(tmp_path / "syslog", port, "tls", keys.authority, keys.server) as collector,
        telling(database, told),
    ):
        assert wait_until(lambda: begun(database), PATIENCE_SECONDS)
        acts(database, 1)
        with database.transaction() as session:
            studies = {"service": "C-GET", "studies": ["1.2.3"], "count": 1}
            retrieve = build_event(action=AuditAction.RETRIEVE, detail=studies)
            append_audit(session, retrieve)
        chain_waiting(database, None)
        assert arrived(collector, 1, 2), collector.log.read_text()

    read, retrieved = collector.messages()
    codes = [m.find("EventIdentification/EventID").get("csd-code") for m in (read, retrieved)]  # type: ignore[union-attr]
    assert codes == ["110110", "110104"]
    named = {
        o.get("ParticipantObjectID") for o in retrieved.iter("ParticipantObjectIdentification")
    }
    assert {"1.2.3", "MRN-4711^^^CLINIC"} <= named


def begun(database: Database) -> bool:
    return settled(database) is not None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_other_transports_reach_this_machine(
    settings: Settings, database: Database, tmp_path: Path, kind: str, need: Callable[[str], None]
) -> None:
    need("rsyslogd")
    port = free_port()
    told = settings.model_copy(update={"audit_syslog": f"{kind}://127.0.0.1:{port}"})
    with (
        running_rsyslog(tmp_path / "syslog", port, kind) as collector,
        telling(database, told),
    ):
        assert wait_until(lambda: begun(database), PATIENCE_SECONDS)
        acts(database, 2)
        assert arrived(collector, 1, 2), collector.log.read_text()


def test_outage_of_the_collector_loses_nothing(
    settings: Settings, database: Database, keys: Keys, tmp_path: Path, need: Callable[[str], None]
) -> None:
    need("rsyslogd")
    port, folder = free_port(), tmp_path / "syslog"
    told = tls_settings(settings, keys, port)
    with telling(database, told):
        with running_rsyslog(folder, port, "tls", keys.authority, keys.server) as collector:
            assert wait_until(lambda: begun(database), PATIENCE_SECONDS)
            acts(database, 3)
            assert arrived(collector, 1, 2, 3), collector.log.read_text()
        acts(database, 3)
        with running_rsyslog(folder, port, "tls", keys.authority, keys.server) as collector:
            acts(database, 3)
            assert arrived(collector, *range(1, 10)), collector.entries()

    # In order, and nothing but what was sent shortly before the outage comes twice.
    entries = collector.entries()
    assert list(dict.fromkeys(entries)) == list(range(1, 10))


def test_restarted_node_goes_on_where_the_collector_was(
    settings: Settings, database: Database, keys: Keys, tmp_path: Path, need: Callable[[str], None]
) -> None:
    need("rsyslogd")
    port = free_port()
    told = tls_settings(settings, keys, port)
    with running_rsyslog(
        tmp_path / "syslog", port, "tls", keys.authority, keys.server
    ) as collector:
        with telling(database, told):
            assert wait_until(lambda: begun(database), PATIENCE_SECONDS)
            acts(database, 2)
            assert arrived(collector, 1, 2)
            assert wait_until(lambda: settled(database) == 2, SETTLE_SECONDS + PATIENCE_SECONDS)
        acts(database, 2)
        with telling(database, told), telling(database, told):
            assert arrived(collector, 1, 2, 3, 4), collector.log.read_text()

    assert collector.entries() == [1, 2, 3, 4]


def settled(database: Database) -> int | None:
    with database.reading() as session:
        return session.exec(select(AuditCollectorRow.position)).one()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_collector_nobody_vouches_for_is_told_nothing(
    settings: Settings, database: Database, keys: Keys, tmp_path: Path, need: Callable[[str], None]
) -> None:
    need("rsyslogd")
    port = free_port()
    stranger = make_authority(tmp_path / "stranger")
    told = tls_settings(settings, keys, port)
    acts(database, 1)
    with (
        running_rsyslog(
            tmp_path / "syslog", port, "tls", stranger, stranger.issue("collector", rsa=True)
        ) as collector,
        pytest.raises(CollectorAway, match="not trusted"),
    ):
        open_wire(told)

    assert collector.messages() == []
