"""What is refused: its status, its one line in the log, and where an administrator sees it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom.sop_class import CTImageStorage  # type: ignore[attr-defined]

from arcuate.checks import run_check
from arcuate.finding import Health
from core.database import Database
from core.settings import Settings
from dicom_node.peers import list_refused_callers
from dicom_node.statuses import Status
from dicom_node.storage.accept_list import OPHTHALMIC_TOMOGRAPHY, RAW_DATA
from dicom_node.storage.part10 import EncodedInstance
from tests.builders.association_request import associate_request
from tests.builders.encoded_instance import encode_instance
from tests.fixtures.dicom_server import DEVICE, Node, running_node
from tests.fixtures.http_server import http_server
from tests.fixtures.logs import configured_logs
from tests.fixtures.raw_peer import Heard, Rejected, raw_peer

#: What must stand in no line of a log.
PATIENT = {"PatientID": "SECRET-77", "PatientName": "Geheim^Name"}
REJECTED = 3


def scan(**keywords: Any) -> EncodedInstance:
    return encode_instance(**{**PATIENT, **keywords})


@dataclass(frozen=True)
class Refused:
    """A store, how it is answered, and the code it is listed with; none where nothing is listed."""

    build: Callable[[], EncodedInstance]
    status: Status
    code: str
    event: str = "instance_quarantined"
    settings: dict[str, Any] = field(default_factory=dict)


REFUSED = {
    "larger_than_allowed": Refused(
        lambda: scan(PixelData=bytes(2 << 20)),
        Status.OUT_OF_RESOURCES,
        "object_too_large",
        "store_refused",
        {"maximum_object_mib": 1},
    ),
    "another_object_than_announced": Refused(
        lambda: scan(announced_instance_uid="1.2.3.4.5"),
        Status.DATA_SET_DOES_NOT_MATCH_SOP_CLASS,
        "sop_mismatch",
    ),
    "another_class_than_announced": Refused(
        lambda: scan(SOPClassUID=RAW_DATA, announced_class_uid=OPHTHALMIC_TOMOGRAPHY),
        Status.DATA_SET_DOES_NOT_MATCH_SOP_CLASS,
        "sop_mismatch",
    ),
    "no_data_set": Refused(
        lambda: EncodedInstance(
            data_set=b"SECRET-77 Geheim^Name",
            transfer_syntax_uid=ExplicitVRLittleEndian,
            sop_class_uid=OPHTHALMIC_TOMOGRAPHY,
            sop_instance_uid="1.2.3",
        ),
        Status.CANNOT_UNDERSTAND,
        "instance_invalid",
    ),
    "without_a_patient": Refused(
        lambda: scan(PatientID=""), Status.CANNOT_UNDERSTAND, "patient_id_missing"
    ),
    "a_class_that_was_not_negotiated": Refused(
        lambda: scan(SOPClassUID=CTImageStorage),
        Status.SOP_CLASS_NOT_SUPPORTED,
        "sop_class_not_supported",
        "store_refused",
    ),
}


def lines_of(captured: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return the lines of the log that an administrator is to see."""
    written = captured.readouterr().err
    assert not [value for value in PATIENT.values() if value in written]
    lines = [json.loads(line) for line in written.splitlines()]
    return [line for line in lines if line["level"] != "info"]


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_store_is_answered_logged_and_shown(
    settings: Settings,
    database: Database,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    refused = REFUSED[name]
    limited = settings.model_copy(update=refused.settings)
    with configured_logs(), running_node(limited, database) as node:
        with raw_peer(node.port) as peer:
            peer.associate()
            status = peer.store(refused.build())
            peer.release()
        [line] = lines_of(capsys)
        listed, page = look_at_quarantine(settings, node)

    assert status == refused.status
    assert (line["event"], line["peer"]) == (refused.event, DEVICE)
    assert [(item["code"], item["calling_ae_title"]) for item in listed] == [(refused.code, DEVICE)]
    assert refused.code in page


def look_at_quarantine(settings: Settings, node: Node) -> tuple[list[dict[str, Any]], str]:
    """Return what the list holds, and what the page shows."""
    with http_server(settings, node.database, node.archive.storage) as url:
        listed = httpx.get(f"{url}/v1/quarantine", timeout=60).json()["items"]
        page = httpx.get(f"{url}/quarantine", headers={"accept": "text/html"}, timeout=60).text
    return listed, page


def test_a_store_that_is_refused_again_and_again_is_listed_once(
    settings: Settings, database: Database
) -> None:
    with running_node(settings, database) as node:
        with raw_peer(node.port) as peer:
            peer.associate()
            statuses = [
                peer.store(scan(SOPClassUID=CTImageStorage, SOPInstanceUID=f"1.2.{number}"))
                for number in range(1, 4)
            ]
            peer.release()
        listed, page = look_at_quarantine(settings, node)

    assert statuses == [Status.SOP_CLASS_NOT_SUPPORTED] * 3
    assert [item["size_bytes"] for item in listed] == [0]
    assert "not kept" in page


def test_a_store_below_the_watermark_is_answered_logged_and_shown(
    settings: Settings, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    full = settings.model_copy(update={"minimum_free_mib": 1 << 44})
    with configured_logs(), running_node(full, database) as node, raw_peer(node.port) as peer:
        peer.associate()
        status = peer.store(scan())
        peer.release()
    [line] = lines_of(capsys)
    finding = run_check("storage", full)

    assert status == Status.OUT_OF_RESOURCES
    assert (line["event"], line["peer"], line["status"]) == ("store_refused", DEVICE, "0xa700")
    assert (finding.health, finding.remedy) == (
        Health.WRONG,
        "Free space: stores are refused now.",
    )


@pytest.mark.parametrize(
    ("titles", "told", "reason"),
    [
        (("STRANGER", "ARCUATE"), (1, 1, 3), "calling_ae_title_not_recognised"),
        ((DEVICE, "OTHER"), (1, 1, 7), "called_ae_title_not_recognised"),
    ],
)
def test_a_rejected_caller_is_told_logged_and_shown(
    settings: Settings,
    database: Database,
    capsys: pytest.CaptureFixture[str],
    titles: Sequence[str],
    told: tuple[int, ...],
    reason: str,
) -> None:
    calling, called = titles
    with configured_logs(), running_node(settings, database) as node:
        with raw_peer(node.port) as peer, pytest.raises(Rejected) as rejection:
            peer.associate(calling, called)
        [line] = lines_of(capsys)
        with database.reading() as session:
            [caller] = list_refused_callers(session)
        with http_server(settings, database, node.archive.storage) as url:
            page = httpx.get(f"{url}/callers", headers={"accept": "text/html"}, timeout=60).text
        finding = run_check("peers", settings)

    assert rejection.value.args == told
    assert (line["event"], line["peer"], line["reason"]) == ("caller_refused", calling, reason)
    assert (caller.calling_ae_title, caller.called_ae_title, caller.reason) == (*titles, reason)
    assert calling in page
    assert reason in page
    assert "1 callers refused" in finding.found


def test_another_version_of_the_protocol_is_rejected_in_the_standards_words(
    settings: Settings, database: Database
) -> None:
    with running_node(settings, database) as node, raw_peer(node.port) as peer:
        peer.send(associate_request(version=2))

        # Permanent, by the service provider (ACSE): protocol version not supported.
        assert peer.hear() == Heard(REJECTED, bytes((0, 1, 2, 2)))


def test_one_association_too_many_is_rejected_in_the_standards_words(
    settings: Settings, database: Database
) -> None:
    one = settings.model_copy(update={"maximum_associations": 1})
    with running_node(one, database) as node, raw_peer(node.port) as first:
        first.associate()
        with raw_peer(node.port) as second, pytest.raises(Rejected) as rejection:
            second.associate()
        first.release()

    # Transient, by the service provider (presentation): local limit exceeded.
    assert rejection.value.args == (2, 3, 2)
