"""The conformance statement held against what real associations accept and propose."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, build_context, build_role, evt
from pynetdicom.events import Event
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    CTImageStorage,
    ModalityWorklistInformationFind,
    Verification,
)

from core.calling_tls import CallingTLS
from core.database import Database
from core.errors import NodeError
from core.settings import Settings
from dicom_node.conformance.contexts import Context, accepted_contexts, merged, proposals
from dicom_node.peers import PeerAddress, add_peer
from dicom_node.retrieve.catalogue import ListedSeries
from dicom_node.retrieve.get import Getting
from dicom_node.retrieve.move import Moving
from dicom_node.retrieve.plan import FetchRequest
from dicom_node.retrieve.query import querying
from dicom_node.scu.commitment import report_commitment
from dicom_node.scu.commitment_request import request_commitment
from dicom_node.scu.echo import echo
from dicom_node.storage.archive import Archive
from dicom_node.storage.verification import CommitmentResult
from tests.builders.received import open_test_archive
from tests.builders.sent_report import SentReports
from tests.fixtures.dicom_server import DEVICE, Node, running_node

#: Classes that nobody said we take.
STRANGE = (str(CTImageStorage), str(ModalityWorklistInformationFind))
MOST_CONTEXTS = 128
Pair = tuple[str, str]


@pytest.fixture
def node(settings: Settings, database: Database) -> Iterator[Node]:
    with running_node(settings, database) as running:
        yield running


def propose(node: Node, contexts: Sequence[Any], roles: Sequence[Any] = ()) -> list[Any]:
    """Return the accepted contexts of an association that proposes these."""
    association = AE(DEVICE).associate(
        "127.0.0.1", node.port, contexts=list(contexts), ae_title="ARCUATE", ext_neg=list(roles)
    )
    accepted = list(association.accepted_contexts)
    association.release()
    return accepted


def groups(pairs: list[Pair]) -> Iterator[list[Pair]]:
    for start in range(0, len(pairs), MOST_CONTEXTS - 1):
        yield pairs[start : start + MOST_CONTEXTS - 1]


def pairs_of(contexts: Sequence[Context]) -> set[Pair]:
    return {(c.abstract_syntax, syntax) for c in contexts for syntax in c.transfer_syntaxes}


def test_everything_stated_is_accepted_and_nothing_else(node: Node, settings: Settings) -> None:
    stated = accepted_contexts(settings)
    classes = [*(context.abstract_syntax for context in stated), *STRANGE]
    pairs = [(uid, str(syntax)) for uid in classes for syntax in ALL_TRANSFER_SYNTAXES]

    accepted = {
        (str(context.abstract_syntax), str(context.transfer_syntax[0]))
        for group in groups(pairs)
        # Verification beside them: an association without any accepted context ends.
        for context in propose(
            node, [build_context(Verification), *(build_context(*pair) for pair in group)]
        )
    }

    assert accepted == pairs_of(stated)


def test_roles_stated_are_those_that_are_negotiated(node: Node, settings: Settings) -> None:
    stated = accepted_contexts(settings)
    contexts = [build_context(context.abstract_syntax) for context in stated]
    roles = [
        build_role(context.abstract_syntax, scu_role=True, scp_role=True) for context in stated
    ]

    accepted = propose(node, contexts, roles)

    # The roles of the other side are ours turned round.
    ours = {str(one.abstract_syntax): (bool(one.as_scp), bool(one.as_scu)) for one in accepted}
    assert ours == {c.abstract_syntax: (c.is_scu, c.is_scp) for c in stated}


@contextmanager
def recording_peer() -> Generator[tuple[PeerAddress, list[list[Pair]]]]:
    """A peer that accepts nothing of ours, and what was proposed on each association."""
    proposed: list[list[Pair]] = []

    def note(event: Event) -> None:
        contexts = event.assoc.requestor.requested_contexts
        proposed.append(
            [(str(c.abstract_syntax), str(s)) for c in contexts for s in c.transfer_syntax]
        )

    entity = AE("PEER")
    entity.add_supported_context(CTImageStorage)
    server = entity.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_REQUESTED, note)]
    )
    assert server is not None
    try:
        yield PeerAddress("PEER", "127.0.0.1", server.socket.getsockname()[1]), proposed
    finally:
        server.shutdown()


_REQUEST = FetchRequest(ListedSeries("1.2", "1.3", "OPT", None), (), names_instances=False)


def _query(peer: PeerAddress, archive: Archive, tls: CallingTLS) -> None:
    with querying(peer, "ARCUATE", tls):
        raise AssertionError("the peer accepts no query")


#: Each activity of the statement as it is really done, towards a peer that declines.
_ACTIVITIES: dict[str, Callable[[PeerAddress, Archive, CallingTLS], object]] = {
    "Verify that a peer is there": lambda peer, archive, tls: echo(peer, "ARCUATE", tls),
    "Ask a destination for storage commitment": lambda peer, archive, tls: request_commitment(
        peer, "ARCUATE", "1.2.3", [], lambda: None, [], 5.0, tls
    ),
    "Report storage commitment": lambda peer, archive, tls: report_commitment(
        peer, "ARCUATE", CommitmentResult("1.2.3", (), ()), tls
    ),
    "Query an archive": _query,
    "Fetch from an archive by C-GET": lambda peer, archive, tls: Getting(
        peer, "ARCUATE", archive, tls
    ).fetch(_REQUEST),
    "Fetch from an archive by C-MOVE": lambda peer, archive, tls: Moving(
        peer, "ARCUATE", archive.database, tls
    ).fetch(_REQUEST),
}
#: Held to by tests of their own: what is proposed depends on the objects.
_BY_OBJECTS = {"Send results to a destination", "Send to the destination of a C-MOVE"}


@pytest.mark.parametrize("activity", _ACTIVITIES)
def test_what_is_stated_is_proposed(activity: str, settings: Settings, database: Database) -> None:
    archive = open_test_archive(settings, database)
    [stated] = [one for one in proposals() if one.activity == activity]

    with recording_peer() as (peer, proposed), suppress(NodeError):
        _ACTIVITIES[activity](peer, archive, CallingTLS(settings))

    [pairs] = proposed
    assert set(pairs) == pairs_of(merged(stated.contexts))


def test_every_activity_is_tried() -> None:
    assert {one.activity for one in proposals()} == _ACTIVITIES.keys() | _BY_OBJECTS


def test_reports_are_proposed_to_a_destination_as_stated(
    settings: Settings, database: Database
) -> None:
    reports = SentReports(open_test_archive(settings, database), settings)
    [stated] = [one for one in proposals() if one.activity == "Send results to a destination"]
    with recording_peer() as (peer, proposed):
        with database.transaction() as session:
            add_peer(session, "PEER", peer.host, peer.port)
        reports.add("pacs", "dicom_peer", "PEER")
        reports.keep_reports()
        reports.deliver()

    # These are a structured report and a picture; no other class of them is stated otherwise.
    pairs = {pair for one in proposed for pair in one}
    classes = {uid for uid, _ in pairs}
    assert len(classes) == 3
    assert pairs == {pair for pair in pairs_of(stated.contexts) if pair[0] in classes}
