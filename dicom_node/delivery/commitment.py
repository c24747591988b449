"""The step that tells a peer which of the instances it asked about are durably kept."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from core import ledger
from core.calling_tls import CallingTLS
from core.clock import utc_now
from core.database import Database
from core.lease import Lease
from core.ledger import Claim
from core.logs import get_logger
from core.tables.jobs import JobKind
from dicom_node.peers import address_of
from dicom_node.scu.commitment import LONGEST_REPORT_SECONDS, report_commitment
from dicom_node.storage.bytes import Storage
from dicom_node.storage.commitments import is_reported, load_request, settle_request
from dicom_node.storage.verification import verify

_log = get_logger(__name__)


@dataclass(frozen=True)
class CommitmentStep:
    """Verifies what a request names and reports it on an association of our own.

    Each attempt verifies anew: what was whole an hour ago may be gone.

    Attributes
    ----------
    ae_title
        Ours.
    lease_seconds
        How long a claim is held before it must be renewed.
    tls
        How peers are called that are called over TLS.
    """

    database: Database
    storage: Storage
    ae_title: str
    lease_seconds: float
    kind: JobKind = JobKind.COMMIT
    group_size: int = 1
    tls: CallingTLS | None = None

    def run(self, claims: Sequence[Claim]) -> None:
        """Answer each claimed request."""
        for claimed in claims:
            self._answer(claimed)

    def give_up(self, session: Session, claim: Claim, error: str) -> None:
        """Leave it to the failed job to tell; the peer keeps its own copies."""
        _log.error("commitment_not_reported", commitment=claim.subject, error=error)

    def _answer(self, claimed: Claim) -> None:
        key = int(claimed.subject)
        # The receiver may have told the peer on the association it asked on.
        if self._finish_if_reported(claimed, key):
            return
        with self.database.reading() as session:
            request = load_request(session, key)
            peer = address_of(session, request.calling_ae_title, request.calling_address)
        lease = Lease(self.database, claimed, self.lease_seconds)
        result = verify(self.database, self.storage, request, lease.beat)
        lease.renew(LONGEST_REPORT_SECONDS)
        report_commitment(peer, self.ae_title, result, self.tls)
        with self.database.transaction() as session:
            settle_request(session, key, utc_now(), len(result.failed))
            ledger.finish(session, claimed)
        _log.info(
            "commitment_reported",
            peer=peer.ae_title,
            transaction_uid=result.transaction_uid,
            committed=len(result.committed),
            failed=len(result.failed),
        )

    def _finish_if_reported(self, claimed: Claim, key: int) -> bool:
        with self.database.transaction() as session:
            if not is_reported(session, key):
                return False
            ledger.finish(session, claimed)
        return True
