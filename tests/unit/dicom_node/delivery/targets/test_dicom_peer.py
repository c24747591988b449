"""What of it needs no peer; the rest is in tests/integration/test_delivery_peers.py."""

from io import BytesIO

import pytest
from pydicom import dcmread, dcmwrite

from core.deliveries.destinations import DestinationInvalid
from core.settings import Settings
from dicom_node.calling_errors import DestinationDown
from dicom_node.delivery.targets.dicom_peer import DicomPeer
from dicom_node.delivery.targets.encoded_report import encode, forms_of
from dicom_node.delivery.targets.store_status import verdict_of
from dicom_node.delivery.targets.target import Destination, Outgoing, Tools, Verdict
from dicom_node.storage.archive import Archive
from tests.builders.sent_report import built_reports

EXPLICIT, IMPLICIT, JPEG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.4.50"
SR_3D, SR = "1.2.840.10008.5.1.4.1.1.88.34", "1.2.840.10008.5.1.4.1.1.88.33"
SC = "1.2.840.10008.5.1.4.1.1.7"


def outgoing(sop_class: str = SR_3D, syntax: str = EXPLICIT, content: bytes = b"") -> Outgoing:
    return Outgoing(1, sop_class, "1.2.3", syntax, "1.2", lambda: content)


def forms(sop_class: str, syntax: str, fallback_only: bool = False) -> list[tuple[str, str]]:
    found = forms_of(outgoing(sop_class, syntax), fallback_only)
    return [(form.sop_class_uid, form.transfer_syntax_uid) for form in found]


def test_object_goes_first_as_it_is_kept_then_as_a_peer_may_want_it() -> None:
    own, other = [(SR_3D, EXPLICIT), (SR_3D, IMPLICIT)], [(SR, EXPLICIT), (SR, IMPLICIT)]
    assert forms(SR_3D, EXPLICIT) == own + other
    assert forms(SR_3D, EXPLICIT, fallback_only=True) == other
    assert forms(SC, EXPLICIT, fallback_only=True) == [(SC, EXPLICIT), (SC, IMPLICIT)]
    assert forms(SC, JPEG) == [(SC, JPEG)]


def test_kept_bytes_are_sent_as_they_are_and_other_forms_say_the_same() -> None:
    report = dict(built_reports(1))["sr"]
    buffer = BytesIO()
    dcmwrite(buffer, report, enforce_file_format=True)
    kept = outgoing(content=buffer.getvalue())
    first, implicit, comprehensive, _ = forms_of(kept, takes_fallback_only=False)

    assert encode(kept, first).content == buffer.getvalue()
    again = dcmread(BytesIO(encode(kept, implicit).content))
    assert again.file_meta.TransferSyntaxUID == IMPLICIT
    assert again.ContentSequence == report.ContentSequence
    other = encode(kept, comprehensive)
    assert other.sop_class_uid == SR
    assert other.sop_instance_uid not in {"1.2.3", report.SOPInstanceUID}
    assert other == encode(kept, comprehensive)
    assert dcmread(BytesIO(other.content)).ContentSequence == report.ContentSequence


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (0x0000, Verdict.DELIVERED),
        (0xB000, Verdict.DELIVERED),
        (0xB007, Verdict.DELIVERED),
        (0x0111, Verdict.DELIVERED),
        (None, Verdict.FAILED),
        (0xA700, Verdict.FAILED),
        (0xA7FF, Verdict.FAILED),
        (0x0110, Verdict.FAILED),
        (0x0213, Verdict.FAILED),
        (0x0122, Verdict.REFUSED),
        (0x0124, Verdict.REFUSED),
        (0xA900, Verdict.REFUSED),
        (0xC000, Verdict.REFUSED),
    ],
)
def test_status_says_whether_another_attempt_helps(status: int | None, verdict: Verdict) -> None:
    assert verdict_of(status) is verdict


@pytest.mark.parametrize(
    ("options", "secret"), [({"a": "b"}, None), ({"commitment": "maybe"}, None), ({}, "secret")]
)
def test_what_a_peer_cannot_use_is_refused(options: dict[str, str], secret: str | None) -> None:
    with pytest.raises(DestinationInvalid):
        DicomPeer().read_options("PACS", options, secret)


def test_commitment_is_asked_unless_an_option_says_otherwise() -> None:
    target = DicomPeer()
    asks = [
        target.commitment_of(Destination("a", "dicom_peer", "PACS", options)) is not None
        for options in (
            target.read_options("PACS", {}, None),
            target.read_options("PACS", {"commitment": "no"}, None),
        )
    ]

    assert asks == [True, False]


def test_peer_that_is_not_known_is_down(archive: Archive, settings: Settings) -> None:
    unknown = Destination("a", "dicom_peer", "NOBODY", {})

    with pytest.raises(DestinationDown, match="There is no peer NOBODY"):
        DicomPeer().probe(unknown, Tools(settings, archive.database))
