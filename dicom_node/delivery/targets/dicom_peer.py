"""A peer: objects go there by C-STORE, and it is asked to commit to keeping them."""

import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from tempfile import NamedTemporaryFile
from typing import Any, Final

from pydicom.uid import UID
from pynetdicom.association import Association

from core.calling_tls import CallingTLS
from core.deliveries.commitments import is_awaited
from core.deliveries.destinations import DestinationInvalid
from core.errors import RecordNotFound
from core.tls import CertificateUnusable
from dicom_node.calling_errors import (
    AssociationRejected,
    DestinationDown,
    PeerUnreachable,
)
from dicom_node.delivery.targets.encoded_report import (
    Encoded,
    Form,
    encode,
    forms_of,
    report_contexts,
)
from dicom_node.delivery.targets.store_status import verdict_of
from dicom_node.delivery.targets.target import (
    Commitment,
    Destination,
    Outgoing,
    Sent,
    Tools,
    Verdict,
)
from dicom_node.peers import PeerAddress, address_of
from dicom_node.scp.commitment_report import report_handlers
from dicom_node.scu.association import accepts_nothing, associate
from dicom_node.scu.commitment_request import request_commitment
from dicom_node.scu.echo import echo
from dicom_node.statuses import Status
from dicom_node.storage.commitments import InstanceReference

_COMMITMENT: Final = "commitment"
#: Among what was learned: the peer takes Comprehensive SR in place of Comprehensive 3D SR.
_FALLBACK: Final = "takes_comprehensive_sr_only"
#: How long an association stays open for a report: most peers report on one of their own. At most
#: this share of what an answer may take.
_LINGER_SECONDS: Final = 3.0
_LINGER_SHARE: Final = 0.25
_LOOK_SECONDS: Final = 0.05


class DicomPeer:
    """Sends to a peer of `arcuate peers` that has a port, over TLS where that says so."""

    kind = "dicom_peer"
    about = (
        "ADDRESS is the AE title of a peer with a port (arcuate peers add). Options: commitment=no "
        "asks for no storage commitment."
    )

    def read_options(
        self, address: str, options: Mapping[str, str], secret: str | None
    ) -> dict[str, Any]:
        """Check that there are none but `commitment`."""
        if set(options) - {_COMMITMENT} or secret:
            raise DestinationInvalid(f"A peer has no option but {_COMMITMENT}, and no secret")
        wanted = options.get(_COMMITMENT, "yes")
        if wanted not in {"yes", "no"}:
            raise DestinationInvalid(f"{_COMMITMENT} is yes or no, not {wanted!r}")
        return {_COMMITMENT: wanted == "yes"}

    def commitment_of(self, destination: Destination) -> Commitment | None:
        """Ask for it unless an option says otherwise."""
        return self if destination.options.get(_COMMITMENT, True) else None

    def send(
        self, destination: Destination, objects: Sequence[Outgoing], tools: Tools
    ) -> Generator[Sent]:
        """Send on one association; each object in the best form the peer takes it in."""
        forms = {
            outgoing.delivery_id: forms_of(outgoing, bool(destination.learned.get(_FALLBACK)))
            for outgoing in objects
        }
        peer = _address(destination, tools)
        proposed = report_contexts(forms.values())
        with _named_faults():
            settings = tools.settings
            opened = associate(
                peer,
                settings.ae_title,
                proposed,
                tls=CallingTLS(settings),
                patience_seconds=settings.delivery_answer_seconds,
            )
            with opened as association:
                for outgoing in objects:
                    yield _store(association, outgoing, forms[outgoing.delivery_id])
                    if not (association.is_established or accepts_nothing(association)):
                        return

    def probe(self, destination: Destination, tools: Tools) -> None:
        """Ask whether the peer is there (C-ECHO)."""
        with _named_faults():
            settings = tools.settings
            echo(_address(destination, tools), settings.ae_title, CallingTLS(settings))

    def ask(
        self,
        destination: Destination,
        transaction_uid: str,
        instances: Sequence[InstanceReference],
        tools: Tools,
    ) -> None:
        """Send the N-ACTION, and stay a little in case the report comes at once."""
        settings = tools.settings

        def linger() -> None:
            deadline = time.monotonic() + min(
                _LINGER_SECONDS, _LINGER_SHARE * settings.delivery_answer_seconds
            )
            while time.monotonic() < deadline:
                with tools.database.reading() as session:
                    if not is_awaited(session, transaction_uid):
                        return
                time.sleep(_LOOK_SECONDS)

        with _named_faults():
            request_commitment(
                _address(destination, tools),
                settings.ae_title,
                transaction_uid,
                instances,
                linger,
                report_handlers(tools.database),
                settings.delivery_answer_seconds,
                CallingTLS(settings),
            )


def _store(association: Association, outgoing: Outgoing, forms: Sequence[Form]) -> Sent:
    """Send an object in the best form that is accepted, and in the next where it is refused."""
    accepted = {
        (str(context.abstract_syntax), str(context.transfer_syntax[0]))
        for context in association.accepted_contexts
    }
    taken = [f for f in forms if (f.sop_class_uid, f.transfer_syntax_uid) in accepted]
    if not taken:
        name = UID(outgoing.sop_class_uid).name
        return Sent(outgoing.delivery_id, Verdict.REFUSED, f"The peer does not accept {name}")
    form = taken[0]
    status = _send_one(association, encoded := encode(outgoing, form))
    other = next((form for form in taken if form.is_fallback), None)
    if status == Status.SOP_CLASS_NOT_SUPPORTED and other is not None and other != form:
        form = other
        status = _send_one(association, encoded := encode(outgoing, form))
    verdict = verdict_of(status)
    return Sent(
        outgoing.delivery_id,
        verdict,
        _tell(status),
        encoded.sop_class_uid,
        encoded.sop_instance_uid,
        {_FALLBACK: True} if form.is_fallback and verdict is Verdict.DELIVERED else {},
    )


def _send_one(association: Association, encoded: Encoded) -> int | None:
    """Return the status an object was answered with; None where it was not."""
    # A file, because pynetdicom sends only files as they are.
    with NamedTemporaryFile(suffix=".dcm") as file:
        file.write(encoded.content)
        file.flush()
        try:
            response = association.send_c_store(file.name)
        except RuntimeError:
            # What pynetdicom raises on an association that ended meanwhile.
            return None
    if "Status" not in response:
        # It may still look established for a moment; the next object would wait in vain.
        association.abort()
        return None
    return int(response.Status)


def _tell(status: int | None) -> str:
    # Not the Error Comment: it may hold what it likes, a patient's name too.
    if status is None:
        return "The peer gave no answer"
    return "" if status == Status.SUCCESS else f"The peer answered 0x{status:04X}"


def _address(destination: Destination, tools: Tools) -> PeerAddress:
    try:
        with tools.database.reading() as session:
            return address_of(session, destination.address)
    except RecordNotFound as error:
        raise DestinationDown(str(error)) from error


@contextmanager
def _named_faults() -> Generator[None]:
    try:
        yield
    except (PeerUnreachable, AssociationRejected, CertificateUnusable) as error:
        raise DestinationDown(str(error)) from error
