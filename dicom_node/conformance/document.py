"""The statement as a Markdown document, in the order of PS3.2 annex N."""

from typing import Final

from dicom_node.conformance.annexes import annexes
from dicom_node.conformance.markdown import section
from dicom_node.conformance.networking import networking
from dicom_node.conformance.overview import overview
from dicom_node.conformance.statement import PRODUCT, Statement

_CONTENTS: Final = (
    "1 Overview · 3 Introduction · 4 Implementation model · 5 Service and interoperability "
    "description · 6 Configuration · 7 Network and media communication details · 8 Security · "
    "annexes: information objects, structured report content, private attributes, codes"
)
_AUDIENCE: Final = (
    "For those who connect systems to this node and know DICOM. It says what the node offers and "
    "asks for as it is configured; it does not replace trying the systems together."
)


def write_document(statement: Statement) -> str:
    """Return the document."""
    return (
        section(
            1,
            "DICOM conformance statement",
            f"{PRODUCT} {statement.version}, application entity `{statement.ae_title}`. Written by "
            "`arcuate conformance` from the running configuration; the order is that of PS3.2 "
            "annex N.",
            overview(statement),
            section(2, "2 Contents", _CONTENTS),
            section(2, "3 Introduction", _AUDIENCE),
            networking(statement),
            annexes(statement),
        )
        + "\n"
    )
