"""C-FIND with many matches: cancelled, read slowly, and found by index in either database."""

import socket
import struct
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pynetdicom.association import Association
from sqlalchemy import text

from arcuate.bench.ingest import pdu
from arcuate.bench.query.asking import AnswerWrong, FindAsking
from arcuate.bench.query.population import Population
from arcuate.bench.query.questions import questions
from arcuate.bench.query.rows import fill
from arcuate.waiting import wait_until
from core.database import Database
from core.settings import Settings
from dicom_node.receive import seam
from dicom_node.storage.query.attribute import ATTRIBUTES
from dicom_node.storage.query.finding import find
from dicom_node.storage.query.level import Level
from dicom_node.storage.query.parsing import parse_key
from dicom_node.storage.query.query import Query
from dicom_node.storage.query.selection import select_keys
from tests.builders.encoded_instance import encode_dataset
from tests.fixtures.dicom_server import DEVICE, Node, running_node
from tests.fixtures.query_scu import ask, identifier
from tests.fixtures.query_scu import asking as asking_of
from tests.fixtures.queryable_node import KINDS, empty_archive

STUDIES = 1000
INSTANCES = Population(STUDIES).instances
MIB = 1 << 20
_IMPLICIT_VR = "1.2.840.10008.1.2"


@pytest.fixture(scope="module", params=KINDS)
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    with empty_archive(request, tmp_path_factory.mktemp("many")) as (_, opened):
        fill(opened, Population(STUDIES), lambda _: None)
        yield opened


@pytest.fixture(scope="module")
def node(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    settings = Settings(
        home=tmp_path_factory.mktemp("home"),
        database_url=database.url.render_as_string(hide_password=False),
        dicom_port=0,
        http_port=0,
        auth="none",
    )
    with running_node(settings, database) as running:
        yield running


class SlowAsking(FindAsking):
    """A peer that reads its answers when it likes."""

    def send(self, level: str, **keys: Any) -> None:
        asked = encode_dataset(identifier(level, **keys), _IMPLICIT_VR)
        self._connection.sendall(
            pdu.find_request(1, self._model) + pdu.data_set_pdus(asked, pdu.LARGEST_PDU_BYTES)
        )

    def cancel(self) -> None:
        """Send a C-CANCEL-RQ (PS3.7 table 9.3-6) for message 1."""
        elements = b"".join(
            struct.pack("<HHIH", 0, element, 2, value)
            for element, value in ((0x0100, 0x0FFF), (0x0120, 1), (0x0800, 0x0101))
        )
        command = struct.pack("<HHII", 0, 0, 4, len(elements)) + elements
        self._connection.sendall(pdu.data_header(len(command), 0x03) + command)

    def answers(self) -> Iterator[int]:
        """Return each status up to the last."""
        while True:
            status = self._status()
            yield status
            if status not in {0xFF00, 0xFF01}:
                return


@pytest.fixture
def quick(node: Node) -> Iterator[SlowAsking]:
    asking = SlowAsking("127.0.0.1", node.port, DEVICE, "ARCUATE")
    yield asking
    asking.close()


@pytest.fixture
def slow(node: Node) -> Iterator[SlowAsking]:
    asking = slow_asking(node)
    yield asking
    asking.close()


def slow_asking(node: Node) -> SlowAsking:
    asking = SlowAsking("127.0.0.1", node.port, DEVICE, "ARCUATE")
    # What the peer has not read waits in the node, not in the kernel.
    asking._connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 << 10)
    return asking


KEYS = dict.fromkeys(("PatientName", "StudyDescription", "SOPClassUID", "StudyDate"), "")


def test_cancel_ends_the_answers(slow: SlowAsking) -> None:
    slow.send("IMAGE", **KEYS)
    answers = slow.answers()
    first = next(answers)
    slow.cancel()

    told = [first, *answers]

    assert told[-1] == 0xFE00
    assert len(told) < INSTANCES
    slow.send("STUDY", PatientID="PAT0000001")
    assert list(slow.answers())[-1] == 0x0000


def test_association_outlives_an_answer_longer_than_its_silence(
    database: Database, tmp_path: Path
) -> None:
    impatient = Settings(
        home=tmp_path,
        database_url=database.url.render_as_string(hide_password=False),
        dicom_port=0,
        http_port=0,
        auth="none",
        network_timeout_seconds=2.0,
    )
    with running_node(impatient, database) as node:
        asking = slow_asking(node)
        asking.send("IMAGE", **KEYS)
        answers = asking.answers()
        next(answers)
        assert wait_until(has_fallen_silent, 60)

        told = list(answers)
        asking.send("STUDY", PatientID="PAT0000001")
        again = list(asking.answers())
        asking.close()

    assert (len(told), told[-1]) == (INSTANCES, 0x0000)
    assert (len(again), again[-1]) == (3, 0x0000)


def has_fallen_silent() -> bool:
    served = [one for one in threading.enumerate() if isinstance(one, Association)]
    return any(one.is_acceptor and one.dul.idle_timer_expired() for one in served)


def peak_of(asking: SlowAsking, **keys: Any) -> tuple[int, int]:
    """Return how many answers came, and the most memory that was held for them."""
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    asking.send("IMAGE", **KEYS, **keys)
    count = sum(1 for _ in asking.answers())
    return count - 1, tracemalloc.get_traced_memory()[1] - before


def test_memory_is_flat_however_many_matches(quick: SlowAsking) -> None:
    tracemalloc.start()
    try:
        warm, _ = peak_of(quick, PatientID="PAT000000*")
        few, for_few = peak_of(quick, PatientID=[f"PAT00000{n}*" for n in range(3)])
        many, for_many = peak_of(quick, PatientID="PAT00000*")
    finally:
        tracemalloc.stop()

    assert (warm, few, many) == (200, 600, 2000)
    # An encoded answer held for each match would be twice this.
    assert for_many < for_few + MIB // 6


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_memory_is_flat_for_a_hundred_thousand_matches(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    request.param = kind
    with empty_archive(request, tmp_path) as (settings, opened):
        fill(opened, Population(10_000), lambda _: None)
        with running_node(settings, opened) as node:
            asking = SlowAsking("127.0.0.1", node.port, DEVICE, "ARCUATE")
            tracemalloc.start()
            try:
                few, for_few = peak_of(asking, PatientID="PAT00000*")
                many, for_many = peak_of(asking)
            finally:
                tracemalloc.stop()
            asking.close()

    assert (few, many) == (2000, 100_000)
    # Eight bytes for each match, and no more.
    assert for_many < for_few + 100_000 * 8 + MIB


def test_every_question_of_the_measurement_is_answered_rightly(
    database: Database, node: Node
) -> None:
    asked = [one for some in questions(Population(STUDIES), 3).values() for one in some]
    with asking_of(node.port) as association:
        counts = [
            len(ask(association, identifier("STUDY", **{one.keyword: one.value})).matches)
            for one in asked
        ]

    assert counts == [one.expected for one in asked]


def query(level: Level, **keys: str) -> Query:
    matches = {
        keyword: match
        for keyword, value in keys.items()
        if (match := parse_key(keyword, ATTRIBUTES[keyword].vr, value.split("\\"))) is not None
    }
    return Query(level, matches, maximum=100)


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        (query(Level.STUDY, PatientID="PAT0000001"), "patient"),
        (query(Level.STUDY, PatientID="PAT00000*"), "patient_id_pattern"),
        (query(Level.STUDY, StudyDate="20150101-20150131"), "study_date"),
        (query(Level.STUDY, PatientName="badomann*"), "name_alphabetic_pattern"),
        (query(Level.STUDY, PatientName="badomann^anna0"), "name_alphabetic_pattern"),
        (query(Level.STUDY, AccessionNumber="ACC00000001"), "accession_number"),
        (query(Level.STUDY, AccessionNumber="ACC000000*"), "accession_number_pattern"),
        (query(Level.STUDY, StudyID="S1"), "study_id_pattern"),
        (query(Level.STUDY, ReferringPhysicianName="nobody*"), "referring_physician"),
        (query(Level.STUDY, StudyInstanceUID="1.2.3"), "study"),
        (query(Level.PATIENT, PatientBirthDate="19500101-19500110"), "birth_date"),
        (query(Level.SERIES, StudyInstanceUID="1.2.3"), "study"),
        (query(Level.SERIES, SeriesInstanceUID="1.2.3"), "series"),
        (query(Level.IMAGE, SeriesInstanceUID="1.2.3"), "series"),
        (query(Level.IMAGE, SOPInstanceUID="1.2.3\\1.2.4"), "instances"),
        (query(Level.IMAGE, SOPClassUID="1.2.3"), "sop_class_uid"),
        (query(Level.IMAGE, PatientID="PAT00000*", PatientBirthDate="19500101-"), "patient"),
    ],
    ids=lambda value: "-".join(value.matches) if isinstance(value, Query) else value,
)
def test_selective_queries_walk_an_index(database: Database, asked: Query, index: str) -> None:
    plan = plan_of(database, asked)

    assert index in plan
    assert "SCAN" not in plan
    assert "Seq Scan" not in plan


def plan_of(database: Database, asked: Query) -> str:
    statement = select_keys(asked, database.engine.dialect.name)
    sql = statement.compile(database.engine, compile_kwargs={"literal_binds": True})
    with database.reading() as session:
        if database.is_sqlite:
            # Escaped for drivers that take places by percent signs; this one does not.
            rows = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}").all()
            return "\n".join(str(row[-1]) for row in rows)
        # So small a table would be read whole; where it still is, no index can serve.
        session.execute(text("SET LOCAL enable_seqscan = off"))
        rows = session.connection().exec_driver_sql(f"EXPLAIN {sql}").all()
        return "\n".join(str(row[0]) for row in rows)


@pytest.mark.parametrize(
    "value", ["*a" * 120 + "*b", "?" * 250, "*" * 250 + "x", "*a?" * 60, "%_" * 100 + "*"]
)
@pytest.mark.parametrize("keyword", ["PatientName", "StudyDescription", "PatientID"])
def test_wildcard_bombs_go_off_quietly(database: Database, keyword: str, value: str) -> None:
    started = time.monotonic()

    found = find(database, query(Level.STUDY, **{keyword: value}))

    assert len(found.keys) == 0
    assert time.monotonic() - started < 2.0


def test_requests_that_do_not_wait_are_answered_in_turn(quick: SlowAsking) -> None:
    for _ in range(100):
        quick.send("STUDY", PatientID="PAT0000001")

    assert [list(quick.answers()) for _ in range(100)] == [[0xFF00, 0xFF00, 0x0000]] * 100


def test_nonsense_between_answers_ends_the_association(slow: SlowAsking) -> None:
    slow.send("IMAGE", **KEYS)
    answers = slow.answers()
    next(answers)
    slow._connection.sendall(struct.pack(">BBI", 4, 0, 3) + b"bad")

    with pytest.raises(AnswerWrong):
        list(answers)


def test_peer_that_asks_on_and_reads_nothing_is_given_up(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seam, "PDU_SECONDS", 0.5)
    asking = SlowAsking("127.0.0.1", node.port, DEVICE, "ARCUATE")

    with pytest.raises(OSError), asking._connection:  # noqa: PT011 - whatever a closed one gives
        for _ in range(100_000):
            asking.send("STUDY", PatientID="PAT0000001")

    with asking_of(node.port) as association:
        again = ask(association, identifier("STUDY", PatientID="PAT0000001"))
    assert len(again.matches) == 2
