"""Section 1 of the statement: what there is, on two pages."""

from collections.abc import Iterable

from pydicom.uid import UID

from dicom_node.conformance.contexts import Context, merged
from dicom_node.conformance.markdown import named, section, table
from dicom_node.conformance.statement import Statement

_STORAGE: str = "1.2.840.10008.5.1.4.1.1."
_WHAT = (
    "Arcuate receives scans of the optic disc, estimates the 24-2 visual field of the eye, and "
    "keeps and sends the result as reports in the study of the scan. **An estimate is no "
    "measurement: no object it creates says that a visual field was measured.**"
)
_CHARACTER_SETS = (
    "Accepted: every Specific Character Set (0008,0005) of PS3.3 C.12.1.1.2, single byte, multi-"
    "byte, by code extensions, UTF-8 and GB18030; without one the default repertoire, bytes beyond "
    "it read as ISO_IR 100, in queries as UTF-8 where they are that. Objects are kept and sent on "
    "byte for byte. Created: ISO_IR 192 (UTF-8). Answers of a query come in the set of the query "
    "where that can write them, else in ISO_IR 192."
)


def overview(statement: Statement) -> str:
    """Return the section."""
    return section(
        2,
        "1 Overview",
        _WHAT,
        section(3, "1.1 Content and transfer", _storage(statement)),
        section(3, "1.2 DIMSE services", _services(statement)),
        section(3, "1.3 DICOM web services", _web(statement)),
        section(
            3,
            "1.4 Media services",
            "File-set reader of any General Purpose media with a DICOMDIR (`arcuate import`, "
            "`arcuate send`). No media are written.",
        ),
        section(3, "1.5 Real-time video", "None."),
        section(3, "1.6 De-identification", *_deidentification(statement)),
        section(3, "1.7 Character sets", _CHARACTER_SETS),
    )


def is_storage(uid: str) -> bool:
    """Whether an abstract syntax is a storage SOP class."""
    return uid.startswith(_STORAGE)


def _storage(statement: Statement) -> str:
    created = {emitted.sop_class_uid for emitted in statement.emitted}
    sent = _scu_of(statement)
    taken = {context.abstract_syntax for context in statement.accepted if context.is_scp}
    every = sorted(filter(is_storage, created | sent | taken), key=named)
    rows = [
        (named(uid), f"`{uid}`", uid in created, uid in taken, uid in sent or uid in taken)
        for uid in every
    ]
    head = ("SOP class", "UID", "created", "received (SCP)", "sent (SCU)")
    return table(head, rows)


def _services(statement: Statement) -> str:
    contexts = merged((*statement.accepted, *_proposed(statement)))
    rows = [
        (named(one.abstract_syntax), f"`{one.abstract_syntax}`", one.is_scu, one.is_scp)
        for one in sorted(contexts, key=lambda context: named(context.abstract_syntax))
        if not is_storage(one.abstract_syntax)
    ]
    return table(("SOP class", "UID", "user (SCU)", "provider (SCP)"), rows)


def _web(statement: Statement) -> str:
    rows = [(f"`{r.method} {r.path}`", r.summary) for r in statement.web_routes]
    sends = (
        "As a user agent: Store Instances (STOW-RS) to destinations of kind `stow_rs`, one object "
        "a request; a bearer token or OAuth 2.0 client credentials."
    )
    return "\n\n".join(
        (
            "As an origin server, Studies Service (PS3.18 chapter 10):",
            table(("transaction", "is"), rows),
            sends,
        )
    )


def _deidentification(statement: Statement) -> tuple[str, str]:
    rows = [
        (method.code, method.meaning, f"`--option {method.option}`" if method.option else "always")
        for method in statement.deidentification
    ]
    told = (
        "Objects that `arcuate export` writes, by PS3.15 annex E. Over DICOM and DICOMweb objects "
        "go out as they came."
    )
    return told, table(("code", "method", "done"), rows)


def _proposed(statement: Statement) -> Iterable[Context]:
    return (context for proposal in statement.proposed for context in proposal.contexts)


def _scu_of(statement: Statement) -> set[str]:
    return {str(UID(c.abstract_syntax)) for c in _proposed(statement) if c.is_scu}
