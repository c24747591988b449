"""Peers that are called over TLS: our own receiver, DCMTK, and a device that hears reports."""

import ssl
import subprocess
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from arcuate.bench.ports import free_port
from arcuate.waiting import wait_until
from core.calling_tls import CallingTLS
from core.database import Database
from core.settings import Settings
from core.tls import CertificateUnusable, read_fingerprint, server_context
from core.worker import Worker
from dicom_node.calling_errors import PeerUnreachable
from dicom_node.delivery.commitment import CommitmentStep
from dicom_node.peers import PeerAddress, add_peer, address_of
from dicom_node.scu.echo import echo
from dicom_node.scu.store import send
from dicom_node.storage.accept_list import OPHTHALMIC_TOMOGRAPHY
from tests.builders.encoded_instance import as_file, encode_instance
from tests.fixtures.certificates import Certificate, make_authority
from tests.fixtures.commitment_device import Device, build_request
from tests.fixtures.dicom_server import DEVICE, Node, running_node
from tests.fixtures.listening import is_listening
from tests.fixtures.tls import Keys
from tests.integration.test_cli import Terminal


@pytest.fixture
def node(tls_settings: Settings, database: Database) -> Iterator[Node]:
    with running_node(tls_settings, database) as running:
        yield running


@pytest.fixture
def calling(tls_settings: Settings, keys: Keys) -> Settings:
    """Settings of who calls: a device's certificate, the same authority."""
    return shows(tls_settings, keys.device)


def shows(settings: Settings, shown: Certificate) -> Settings:
    return settings.model_copy(update={"tls_cert": str(shown.path), "tls_key": str(shown.key)})


def over_tls(node: Node, bound: Certificate | None = None) -> PeerAddress:
    sha256 = read_fingerprint(bound.path.read_bytes()) if bound else None
    return PeerAddress("ARCUATE", "127.0.0.1", node.tls_port, True, sha256)


def fault_of(peer: PeerAddress, settings: Settings) -> str:
    with pytest.raises(PeerUnreachable) as caught:
        echo(peer, DEVICE, CallingTLS(settings))
    return str(caught.value).rpartition("over TLS: ")[2]


def test_a_peer_answers_whose_certificate_an_authority_signed(
    node: Node, calling: Settings
) -> None:
    assert echo(over_tls(node), DEVICE, CallingTLS(calling)) < 10


def test_a_peer_answers_with_the_certificate_it_is_bound_to(
    node: Node, calling: Settings, keys: Keys
) -> None:
    bound = over_tls(node, keys.server)
    alone = calling.model_copy(update={"tls_client_ca": ""})

    assert echo(bound, DEVICE, CallingTLS(calling)) < 10
    assert echo(bound, DEVICE, CallingTLS(alone)) < 10
    # Its own certificate may stand among the authorities' instead.
    trusting = calling.model_copy(update={"tls_peer_ca": str(keys.server.path)})
    assert echo(over_tls(node), DEVICE, CallingTLS(trusting)) < 10


def test_a_peer_with_another_certificate_than_its_own_is_told_nothing(
    node: Node, calling: Settings, keys: Keys
) -> None:
    fault = fault_of(over_tls(node, keys.device), calling)

    assert fault == "it shows another certificate than the one it is bound to"


def test_a_peer_of_another_authority_or_another_name_is_told_nothing(
    node: Node, calling: Settings, tmp_path: Path
) -> None:
    stranger = make_authority(tmp_path / "stranger").certificate.path
    misled = calling.model_copy(update={"tls_peer_ca": str(stranger)})

    faults = [
        fault_of(over_tls(node), misled),
        fault_of(replace(over_tls(node), host="localhost"), calling),
    ]

    assert faults[0].startswith("its certificate is not trusted: ")
    assert "Hostname mismatch" in faults[1]
    assert [fault.rpartition("; ")[2] for fault in faults] == [
        "tls_peer_ca names the authorities that are trusted",
        "bind the peer to it by --certificate",
    ]


def test_a_peer_that_wants_our_certificate_says_so(
    node: Node, calling: Settings, keys: Keys
) -> None:
    unnamed = calling.model_copy(update={"tls_cert": "", "tls_key": ""})

    assert fault_of(over_tls(node), unnamed) == "tlsv13 alert certificate required"


def test_a_plain_port_is_not_called_over_tls_and_the_reverse(node: Node, calling: Settings) -> None:
    at_plain_port = replace(over_tls(node), port=node.port)

    assert fault_of(at_plain_port, calling)
    with pytest.raises(PeerUnreachable, match="does not answer"):
        echo(replace(over_tls(node), tls=False), DEVICE, CallingTLS(calling))


def test_without_anyone_to_trust_nobody_is_called(node: Node, calling: Settings) -> None:
    trusting_nobody = calling.model_copy(update={"tls_client_ca": ""})

    with pytest.raises(CertificateUnusable, match="set tls_peer_ca, or bind"):
        echo(over_tls(node), DEVICE, CallingTLS(trusting_nobody))
    with pytest.raises(CertificateUnusable, match="over TLS only"):
        echo(over_tls(node), DEVICE)


def test_files_are_sent_over_tls(node: Node, calling: Settings, tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.dcm" for number in range(3)]
    for number, path in enumerate(paths):
        pixels = bytes(1 << 20)
        uid = f"1.2.3.1.1.{number + 1}"
        path.write_bytes(as_file(encode_instance(SOPInstanceUID=uid, PixelData=pixels)))

    results = list(send(paths, over_tls(node), DEVICE, CallingTLS(calling)))

    assert [result.status for result in results] == [0, 0, 0]


@contextmanager
def storescp(folder: Path, keys: Keys) -> Generator[int]:
    folder.mkdir()
    port = free_port()
    ours = ["+tls", keys.server.key, keys.server.path, "+cf", keys.authority.certificate.path]
    process = subprocess.Popen(["storescp", *ours, "-od", folder, str(port)])
    try:
        assert wait_until(lambda: is_listening(port), 30)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def test_dcmtk_is_asked_and_sent_to_over_tls(
    calling: Settings, keys: Keys, tmp_path: Path, need: Callable[[str], None]
) -> None:
    need("storescp")
    path = tmp_path / "scan.dcm"
    path.write_bytes(as_file(encode_instance()))
    with storescp(tmp_path / "kept", keys) as port:
        peer = PeerAddress("STORESCP", "127.0.0.1", port, True)

        assert echo(peer, DEVICE, CallingTLS(calling)) < 10
        [sent] = send([path], peer, DEVICE, CallingTLS(calling))

    assert sent.status == 0
    assert len(list((tmp_path / "kept").iterdir())) == 1


def test_a_commitment_is_reported_to_a_peer_over_tls(
    node: Node, tls_settings: Settings, keys: Keys
) -> None:
    device = Device()
    listening = server_context(shows(tls_settings, keys.device), asks_for_certificate=True)
    with device.listening(tls=listening) as port:
        with node.database.transaction() as session:
            add_peer(session, DEVICE, "127.0.0.1", port, tls=True)
            assert address_of(session, DEVICE).tls
        device.ask(node.address, build_request("1.2.3.4", [(OPHTHALMIC_TOMOGRAPHY, "1.2.404")]))
        step = CommitmentStep(
            node.database, node.archive.storage, "ARCUATE", 60.0, tls=CallingTLS(tls_settings)
        )

        assert Worker(node.database, tls_settings, step, threading.Event()).run_once() == 1

        assert device.next_report().failed == {"1.2.404": 0x0112}


def test_renewed_files_count_without_a_restart(
    node: Node, calling: Settings, keys: Keys, tmp_path: Path
) -> None:
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(make_authority(tmp_path / "old").certificate.path.read_bytes())
    tls = CallingTLS(calling.model_copy(update={"tls_peer_ca": str(trusted)}))
    with pytest.raises(PeerUnreachable):
        echo(over_tls(node), DEVICE, tls)

    trusted.write_bytes(keys.authority.certificate.path.read_bytes())

    assert echo(over_tls(node), DEVICE, tls) < 10
    assert isinstance(tls.context_for(None), ssl.SSLContext)


def test_the_commands_call_over_tls(
    tls_settings: Settings, database: Database, keys: Keys, tmp_path: Path
) -> None:
    scan = tmp_path / "scan.dcm"
    scan.write_bytes(as_file(encode_instance()))
    terminal = Terminal(tmp_path, tls_settings.home)
    own = {
        "database_url": tls_settings.database_url,
        "tls_cert": keys.device.path,
        "tls_key": keys.device.key,
    }
    with running_node(tls_settings, database) as node:
        call = ("send", scan, "--to", f"ARCUATE@127.0.0.1:{node.tls_port}", "--calling", DEVICE)
        bound = terminal(*call, "--tls", "--certificate", keys.server.path, **own)
        other = terminal(*call, "--tls", "--certificate", keys.device.path, **own)
        at = ("--host", "127.0.0.1", "--port", node.tls_port, "--tls")
        terminal("peers", "add", "ARCUATE", *at, "--certificate", keys.server.path, **own)
        echoed = terminal("peers", "echo", "ARCUATE", "--json", **own, ae_title=DEVICE)

    assert (bound.code, bound.out.split()[0]) == (0, "kept")
    assert (other.code, "it shows another certificate" in other.err) == (1, True)
    assert (echoed.code, echoed.json["ae_title"]) == (0, "ARCUATE")
