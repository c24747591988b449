"""The step that asks a peer whether it answers, for whoever looks at a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session

from core import ledger
from core.calling_tls import CallingTLS
from core.clock import Clock, utc_now
from core.database import Database
from core.errors import RecordNotFound
from core.ledger import Claim
from core.logs import get_logger
from core.peer_echoes import answer_echo
from core.tables.jobs import JobKind
from core.tls import CertificateUnusable
from dicom_node.calling_errors import AssociationRejected, PeerUnreachable
from dicom_node.peers import address_of
from dicom_node.scu.echo import echo

#: How long a peer may take for each thing it is asked: a person waits.
PATIENCE_SECONDS: Final = 10.0
#: What a peer may answer, or fail to: no fault of the job, so it is not tried again.
_ANSWERS: Final = (PeerUnreachable, AssociationRejected, CertificateUnusable, RecordNotFound)

_log = get_logger(__name__)


@dataclass(frozen=True)
class EchoStep:
    """Asks once and records what came of it.

    Attributes
    ----------
    ae_title
        Ours.
    tls
        How peers are called that are called over TLS.
    """

    database: Database
    ae_title: str
    tls: CallingTLS | None = None
    clock: Clock = utc_now
    kind: JobKind = JobKind.ECHO
    group_size: int = 1

    def run(self, claims: Sequence[Claim]) -> None:
        """Ask each claimed peer."""
        for claimed in claims:
            seconds, error = self._ask(claimed.subject)
            with self.database.transaction() as session:
                answer_echo(session, claimed.subject, self.clock(), seconds, error)
                ledger.finish(session, claimed)
            _log.info("peer_asked", peer=claimed.subject, answered=error is None)

    def give_up(self, session: Session, claim: Claim, error: str) -> None:
        """Record why it could not even be asked."""
        answer_echo(session, claim.subject, self.clock(), error=error)

    def _ask(self, ae_title: str) -> tuple[float | None, str | None]:
        try:
            with self.database.reading() as session:
                peer = address_of(session, ae_title)
            return echo(peer, self.ae_title, self.tls, PATIENCE_SECONDS), None
        except _ANSWERS as error:
            return None, str(error)
