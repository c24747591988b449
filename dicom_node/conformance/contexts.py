"""Presentation contexts as they are registered and proposed, read from those who do so."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pynetdicom.presentation import PresentationContext

from core.settings import Settings
from dicom_node.application_entity import build_application_entity
from dicom_node.delivery.targets.encoded_report import forms_in, report_contexts
from dicom_node.event_report import commitment_contexts
from dicom_node.retrieve.get import get_contexts
from dicom_node.retrieve.move import move_contexts
from dicom_node.retrieve.query import query_contexts
from dicom_node.scp.move import contexts_for
from dicom_node.scu.echo import echo_contexts
from dicom_node.storage.accept_list import ACCEPTED_SOP_CLASSES
from reports.checks import EMITTED

_EXPLICIT_VR_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2.1"


@dataclass(frozen=True)
class Context:
    """One presentation context, from our side.

    Attributes
    ----------
    is_scu, is_scp
        The roles we take in it.
    """

    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]
    is_scu: bool
    is_scp: bool


@dataclass(frozen=True)
class Proposal:
    """What we propose on the associations of one activity."""

    activity: str
    contexts: tuple[Context, ...]


def accepted_contexts(settings: Settings) -> tuple[Context, ...]:
    """Return what our application entity accepts, by abstract syntax."""
    registered = build_application_entity(settings).supported_contexts
    return tuple(sorted(map(_accepted, registered), key=lambda context: context.abstract_syntax))


def proposals() -> tuple[Proposal, ...]:
    """Return what we propose, activity by activity.

    What is sent as it lies on a disk (`arcuate send`) is not among them: its contexts are the
    classes and encodings of the files.
    """
    stored = [forms_in(str(uid), _EXPLICIT_VR_LITTLE_ENDIAN) for uid in EMITTED]
    moved = contexts_for([(uid, _EXPLICIT_VR_LITTLE_ENDIAN) for uid in ACCEPTED_SOP_CLASSES])
    return (
        Proposal("Verify that a peer is there", _as_scu(echo_contexts())),
        Proposal("Send results to a destination", _as_scu(report_contexts(stored))),
        Proposal("Ask a destination for storage commitment", _as_scu(commitment_contexts())),
        Proposal("Report storage commitment", _as_scp(commitment_contexts())),
        Proposal("Query an archive", _as_scu(query_contexts())),
        Proposal("Fetch from an archive by C-GET", tuple(_fetched())),
        Proposal("Fetch from an archive by C-MOVE", _as_scu(move_contexts())),
        Proposal("Send to the destination of a C-MOVE", _as_scu(moved)),
    )


def merged(contexts: Iterable[Context]) -> tuple[Context, ...]:
    """Return one context an abstract syntax, with every transfer syntax and role of it."""
    found: dict[str, Context] = {}
    for context in contexts:
        known = found.setdefault(context.abstract_syntax, context)
        found[context.abstract_syntax] = replace(
            known,
            transfer_syntaxes=tuple(
                dict.fromkeys((*known.transfer_syntaxes, *context.transfer_syntaxes))
            ),
            is_scu=known.is_scu or context.is_scu,
            is_scp=known.is_scp or context.is_scp,
        )
    return tuple(found.values())


def _accepted(context: PresentationContext) -> Context:
    # Registered without roles, the requestor is the SCU. Its roles are the other side of ours.
    requestor_is_scu = context.scu_role is not False
    requestor_is_scp = bool(context.scp_role)
    return _context(context, is_scu=requestor_is_scp, is_scp=requestor_is_scu)


def _as_scu(contexts: Sequence[PresentationContext]) -> tuple[Context, ...]:
    return tuple(_context(context, is_scu=True, is_scp=False) for context in contexts)


def _as_scp(contexts: Sequence[PresentationContext]) -> tuple[Context, ...]:
    return tuple(_context(context, is_scu=False, is_scp=True) for context in contexts)


def _fetched() -> Iterator[Context]:
    request, *stored = get_contexts(ACCEPTED_SOP_CLASSES)
    yield from _as_scu([request])
    # Instances come on the same association: there it is we who take them.
    yield from merged(_as_scp(stored))


def _context(context: PresentationContext, *, is_scu: bool, is_scp: bool) -> Context:
    syntaxes = tuple(str(uid) for uid in context.transfer_syntax)
    return Context(str(context.abstract_syntax), syntaxes, is_scu, is_scp)
