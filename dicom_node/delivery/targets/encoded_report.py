"""The forms one report can be sent in: as it is kept, or as a peer that takes less wants it."""

from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from pydicom import Dataset, dcmread, dcmwrite
from pydicom.uid import (
    UID,
    Comprehensive3DSRStorage,
    ComprehensiveSRStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from pynetdicom import build_context
from pynetdicom.presentation import PresentationContext

from dicom_node.delivery.targets.target import Outgoing
from reports.comprehensive_sr import as_comprehensive_sr

#: What every peer can read (PS3.5 10.1).
DEFAULT_SYNTAX: Final = str(ImplicitVRLittleEndian)
_UNCOMPRESSED: Final = frozenset({str(ExplicitVRLittleEndian), DEFAULT_SYNTAX})
#: The class to send instead where a peer does not take the first.
_FALLBACK_CLASSES: Final = {str(Comprehensive3DSRStorage): str(ComprehensiveSRStorage)}


@dataclass(frozen=True)
class Form:
    """A SOP class and a transfer syntax an object can be sent in."""

    sop_class_uid: str
    transfer_syntax_uid: str
    is_fallback: bool = False


@dataclass(frozen=True)
class Encoded:
    """A whole file in one form."""

    sop_class_uid: str
    sop_instance_uid: str
    content: bytes


def forms_of(outgoing: Outgoing, takes_fallback_only: bool) -> list[Form]:
    """Return the forms of an object, the best first.

    Parameters
    ----------
    takes_fallback_only
        Whether the peer is known to refuse the object's own class where there is another.
    """
    return forms_in(outgoing.sop_class_uid, outgoing.transfer_syntax_uid, takes_fallback_only)


def forms_in(sop_class_uid: str, kept: str, takes_fallback_only: bool = False) -> list[Form]:
    """Return the forms of an object of a class that is kept in a transfer syntax."""
    syntaxes = [kept, *(({DEFAULT_SYNTAX} - {kept}) if kept in _UNCOMPRESSED else ())]
    fallback = _FALLBACK_CLASSES.get(sop_class_uid)
    own = [Form(sop_class_uid, syntax) for syntax in syntaxes]
    other = [Form(fallback, syntax, is_fallback=True) for syntax in syntaxes] if fallback else []
    return other if other and takes_fallback_only else own + other


def report_contexts(forms: Iterable[Iterable[Form]]) -> list[PresentationContext]:
    """Return what we propose to send objects that have these forms; one a form."""
    pairs = ((form.sop_class_uid, form.transfer_syntax_uid) for each in forms for form in each)
    return [build_context(*pair) for pair in dict.fromkeys(pairs)]


def encode(outgoing: Outgoing, form: Form) -> Encoded:
    """Return an object in one of its forms; as it is kept, byte for byte, where that is it."""
    content = outgoing.read()
    if not form.is_fallback and form.transfer_syntax_uid == outgoing.transfer_syntax_uid:
        return Encoded(outgoing.sop_class_uid, outgoing.sop_instance_uid, content)
    dataset: Dataset = dcmread(BytesIO(content))
    if form.is_fallback:
        dataset = as_comprehensive_sr(dataset)
    dataset.file_meta.TransferSyntaxUID = UID(form.transfer_syntax_uid)
    buffer = BytesIO()
    implicit = form.transfer_syntax_uid == DEFAULT_SYNTAX
    dcmwrite(buffer, dataset, implicit_vr=implicit, little_endian=True, enforce_file_format=True)
    return Encoded(str(dataset.SOPClassUID), str(dataset.SOPInstanceUID), buffer.getvalue())
