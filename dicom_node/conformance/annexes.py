"""Section 8 and the annexes: security, what we create, and our own codes."""

from collections.abc import Sequence

from dicom_node.conformance.markdown import named, section, table
from dicom_node.conformance.statement import Statement

_CREATED = (
    "Created objects copy patient, study and request from the scan they were made from, carry no "
    "private attributes, and name the service with its model as contributing equipment "
    "(0018,A001). Series Description says *not measured*; Burned In Annotation (0028,0301) is YES "
    "in pictures and pages. Reports are PRELIMINARY and UNVERIFIED until a person decides."
)
_SR = (
    "TID 1500 Measurement Report: device observer, Image Library (TID 1600), one group of the "
    "field and one a test point (TID 1501), every value in dB with derivation 414135002 SCT "
    "*Estimated* and its 90 % half widths. The tree with its codes stands in the chapter "
    "*Reports* of the manual."
)


def annexes(statement: Statement) -> str:
    """Return the sections."""
    return "\n\n".join(
        (
            section(2, "8 Security", *_security(statement)),
            section(2, "Annex A Information objects", *_objects(statement)),
            section(2, "Annex B Structured report content", _SR),
            section(2, "Annex C Private attributes", "None are created."),
            section(2, "Annex D Codes", *_codes(statement)),
        )
    )


def _security(statement: Statement) -> Sequence[str]:
    ports = statement.ports
    suites = "\n".join(f"- `{suite}`" for suite in ports.tls_1_2_cipher_suites)
    asks = "is asked for" if ports.tls_asks_for_certificate else "is not asked for"
    state = f"port {ports.tls}; a device's certificate {asks}" if ports.tls else "not configured"
    return (
        "Non-Downgrading BCP 195 TLS Secure Transport Connection Profile (PS3.15 annex B), as "
        f"acceptor and initiator: TLS 1.2 and 1.3. Here: {state}.",
        f"Cipher suites of TLS 1.2, by OpenSSL's names; all of TLS 1.3:\n\n{suites}",
        "An AE title may be bound to a certificate by its SHA-256. User identity negotiation is "
        "ignored. Web services need an API key, as bearer token or `X-API-Key`.",
    )


def _objects(statement: Statement) -> Sequence[str]:
    rows = [
        (emitted.name, f"`{emitted.sop_class_uid}`", emitted.modality, emitted.purpose)
        for emitted in statement.emitted
    ]
    never = "\n".join(
        f"- {named(uid)} (`{uid}`): {why}" for uid, why in statement.never_emitted.items()
    )
    return (
        _CREATED,
        table(("SOP class", "UID", "modality", "what it is"), rows),
        f"No other class is ever created. Above all never:\n\n{never}",
    )


def _codes(statement: Statement) -> Sequence[str]:
    rows = [(f"`{code.value}`", code.meaning) for code in statement.private_codes]
    return (
        f"Coding Scheme Designator `{statement.coding_scheme}`, Coding Scheme UID "
        f"`{statement.coding_scheme_uid}`, declared in every report (0008,0110). A code never "
        "changes its meaning.",
        table(("code value", "code meaning"), rows),
        "Beside them: DCM, SNOMED CT (SCT) and UCUM codes of the templates.",
    )
