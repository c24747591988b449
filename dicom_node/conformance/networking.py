"""Sections 4 to 7: the application entity, its services, and how it talks."""

from collections.abc import Iterable, Mapping, Sequence

from dicom_node.conformance.contexts import Context, merged
from dicom_node.conformance.markdown import named, section, table
from dicom_node.conformance.statement import Statement

_MODEL = """
```
device, PACS ──C-STORE, STOW-RS──▶ ┌─────────┐ ──C-STORE, STOW-RS, folder──▶ destinations
         ◀──Storage Commitment──── │ Arcuate │ ◀──Storage Commitment──
viewer, PACS ──C-FIND, C-MOVE──▶   │  (one   │ ──C-FIND, C-GET, C-MOVE──▶ archives
         ──C-GET, QIDO, WADO-RS──▶ │   AE)   │ ◀──C-STORE──
modality ──MPPS, IAN─────────────▶ └─────────┘
```
""".strip()
_REPORTING = (
    "A report is kept in the study of its scan, in a series of its own; its UIDs derive from the "
    "result, so that the same result is the same object whenever it is sent. Destinations are sent "
    "to in order, one object after the other; what cannot arrive now waits."
)
_INITIATION = (
    "Associations are opened for the activities below, one association for a group of objects, "
    "and released when it is done. One operation is outstanding at a time; asynchronous "
    "operations are not proposed."
)
_ACCEPTANCE = (
    "Who may call is listed (AE title, host, and a certificate where one is bound to it); others "
    "are rejected as *calling AE title not recognised*, a wrong called AE title as *called AE "
    "title not recognised*, and one more than there is room for as *local limit exceeded* "
    "(transient). An asynchronous operations window is not negotiated; requests that come before "
    "the last one is answered wait their turn."
)
_STORED_AS_SENT = (
    "`arcuate send` proposes the SOP class and transfer syntax of each file, one context a pair, "
    "and several associations where there are more than 128. To the destination of a "
    "C-MOVE each object's own encoding is proposed, too. Below, the transfer syntaxes of one SOP "
    "class are proposed in a context each, or in few."
)
#: More transfer syntaxes than these are told once, in a list of their own.
_MOST_NAMED = 4
_STORAGE_BEHAVIOUR = (
    "Success is answered when the bytes are synced and the rows committed. Level 2 (Full): every "
    "attribute is kept, private ones too. The same object again is answered Success. Nothing is "
    "coerced."
)


def networking(statement: Statement) -> str:
    """Return the sections."""
    return "\n\n".join(
        (
            section(2, "4 Implementation model", _MODEL, _REPORTING),
            section(2, "5 Service and interoperability description", *_services(statement)),
            section(2, "6 Configuration", *_configuration(statement)),
            section(2, "7 Network and media communication details", *_details(statement)),
        )
    )


def _services(statement: Statement) -> Sequence[str]:
    keys = [(k.keyword, k.tag, k.vr, k.level, k.kind, k.matching) for k in statement.query_keys]
    head = ("attribute", "tag", "VR", "level", "key", "matching")
    return (
        section(3, "5.1 Storage as SCP", _STORAGE_BEHAVIOUR, _limits(statement)),
        section(
            3,
            "5.2 Query as SCP",
            "Patient Root and Study Root, at every level, hierarchical and relational. Extended "
            "negotiation is not supported. Attributes of the levels above are looked for and told "
            f"as well. At most {statement.maximum_matches} matches are told (B001).",
            table(head, keys),
        ),
        section(
            3,
            "5.3 Retrieve as SCP",
            "Objects go out as they are kept where the peer accepts their transfer syntax, else in "
            "Explicit or Implicit VR Little Endian, decompressed. Destinations of a C-MOVE are "
            "peers with a host and a port.",
        ),
        section(
            3,
            "5.4 Storage Commitment",
            "As SCP: kept bytes are read back and compared before they are committed to; reported "
            "on an association of our own to the peer's port, or on the one it asked on. As SCU: "
            "asked after each group of objects; reports are taken on either association.",
        ),
        section(3, "5.5 Status codes", *_statuses(statement)),
    )


def _limits(statement: Statement) -> str:
    return (
        f"Largest object: {statement.maximum_object_mib} MiB (A700). Other content under a UID "
        f"that is kept: policy `{statement.duplicates}`."
    )


def _statuses(statement: Statement) -> Sequence[str]:
    return [
        section(
            4,
            service,
            table(("status", "means"), [(f"{m.status:04X}", m.meaning) for m in meanings]),
        )
        for service, meanings in statement.statuses.items()
    ]


def _configuration(statement: Statement) -> Sequence[str]:
    ports, limits = statement.ports, statement.associations
    rows = [
        ("AE title", f"`{statement.ae_title}`"),
        ("host", f"`{ports.host}`"),
        ("port", ports.plain or "closed"),
        ("TLS port", ports.tls or "closed"),
        ("unknown peers", "accepted" if limits.allows_unknown_peers else "rejected"),
        ("largest PDU received", f"{limits.maximum_pdu_bytes} bytes"),
        ("associations at a time", limits.maximum),
        ("of them of one peer", limits.maximum_of_one_peer),
        ("processes that take associations", limits.receivers),
        ("association request within", f"{limits.acse_timeout_seconds:g} s"),
        ("silence within a message", f"{limits.dimse_timeout_seconds:g} s"),
        ("silence between messages", f"{limits.network_timeout_seconds:g} s"),
    ]
    return (
        "The values of the configuration this statement was made from; each is a setting.",
        table(("parameter", "value"), rows),
    )


def _details(statement: Statement) -> Sequence[str]:
    identity = [
        ("application context", "`1.2.840.10008.3.1.1.1`"),
        ("Implementation Class UID", f"`{statement.implementation_class_uid}`"),
        ("Implementation Version Name", f"`{statement.implementation_version_name}`"),
    ]
    return (
        section(3, "7.1 Identification", table(("", ""), identity)),
        section(3, "7.2 Association initiation", _INITIATION, _STORED_AS_SENT),
        *(section(4, p.activity, *_contexts(p.contexts)) for p in statement.proposed),
        section(3, "7.3 Association acceptance", _ACCEPTANCE, *_contexts(statement.accepted)),
    )


def _contexts(contexts: Iterable[Context]) -> Sequence[str]:
    """Return the table of contexts; what many of them share stands once, below it."""
    shown = merged(contexts)
    many = {c.transfer_syntaxes for c in shown if len(c.transfer_syntaxes) > _MOST_NAMED}
    numbers = {syntaxes: number for number, syntaxes in enumerate(sorted(many), 1)}
    rows = [
        (named(c.abstract_syntax), f"`{c.abstract_syntax}`", _syntaxes(c, numbers), _roles(c))
        for c in shown
    ]
    lists = [_listed(number, syntaxes) for syntaxes, number in numbers.items()]
    return [table(("abstract syntax", "UID", "transfer syntaxes", "role"), rows), *lists]


def _syntaxes(context: Context, numbers: Mapping[tuple[str, ...], int]) -> str:
    number = numbers.get(context.transfer_syntaxes)
    return f"list {number}, below" if number else ", ".join(map(named, context.transfer_syntaxes))


def _roles(context: Context) -> str:
    roles = (("SCU", context.is_scu), ("SCP", context.is_scp))
    return ", ".join(name for name, is_so in roles if is_so)


def _listed(number: int, syntaxes: Sequence[str]) -> str:
    rows = [(named(uid), f"`{uid}`") for uid in syntaxes]
    return f"List {number}, the first one preferred:\n\n{table(('transfer syntax', 'UID'), rows)}"
