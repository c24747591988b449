import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

import pytest
from pydicom import dcmread
from sqlmodel import select

from arcuate.waiting import wait_until
from core.database import Database
from core.settings import Settings
from core.tables.instances import InstanceRow
from core.tls import TLS_1_2_CIPHER_SUITES
from dicom_node.application_entity import DicomServer, PortUnavailable
from dicom_node.receive.vestibule import SEATS
from dicom_node.scu.echo import echo
from dicom_node.storage.accept_list import OPHTHALMIC_TOMOGRAPHY
from dicom_node.storage.bytes import Storage
from dicom_node.storage.retrieve import read_instance
from tests.builders.encoded_instance import as_file, encode_instance
from tests.builders.messages import fragments, pdu_of, store_command
from tests.fixtures.certificates import calling_context, make_authority
from tests.fixtures.dicom_server import DEVICE, Node, running_node
from tests.fixtures.serving_threads import count_serving_threads
from tests.fixtures.tls import Keys, call, echoes

#: Only the handshake's first record header and a part of the hello.
HALF_A_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"


@pytest.fixture
def node(tls_settings: Settings, database: Database) -> Iterator[Node]:
    with running_node(tls_settings, database) as running:
        yield running


def fault_of(node: Node, context: ssl.SSLContext) -> str:
    """Return why a connection does not come about, empty where it does."""
    with socket.create_connection(("127.0.0.1", node.tls_port), timeout=30) as connection:
        try:
            with context.wrap_socket(connection, server_hostname="127.0.0.1") as tls:
                # In TLS 1.3 the server judges a certificate after the caller's last word.
                tls.settimeout(1)
                tls.recv(1)
        except TimeoutError:
            return ""
        except ssl.SSLError as error:
            return str(error.reason)
    return "closed"


def test_storescu_stores_a_real_scan_over_tls(
    node: Node, keys: Keys, need: Callable[[str], None], shared_data: Path
) -> None:
    need("storescu")
    scan = shared_data / "oct" / "spectralis_circle_od" / "bscan_opt.dcm"
    called = ["-aet", DEVICE, "-aec", "ARCUATE", "127.0.0.1", str(node.tls_port)]

    sent = subprocess.run(
        ["storescu", "-v", *keys.dcmtk(), *called, scan],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )

    assert "Received Store Response (Success)" in sent.stderr + sent.stdout, sent.stderr
    with node.database.reading() as session:
        uid = str(dcmread(scan, stop_before_pixels=True).SOPInstanceUID)
        assert dcmread(read_file(node, uid)) == dcmread(scan)
        assert session.exec(select(InstanceRow.outcome)).all() == ["pending"]


def read_file(node: Node, sop_instance_uid: str) -> Path:
    path = node.archive.storage.root.parent / "read.dcm"
    with node.database.reading() as session:
        path.write_bytes(read_instance(session, node.archive.storage, sop_instance_uid))
    return path


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_are_spoken_beside_the_plain_port(
    node: Node, keys: Keys, version: ssl.TLSVersion
) -> None:
    context = keys.calling()
    context.minimum_version = context.maximum_version = version

    association = call(node, context)

    connection = association.dul.socket.socket  # type: ignore[union-attr]
    assert isinstance(connection, ssl.SSLSocket)
    suite, _, bits = connection.cipher() or ("", "", 0)
    assert association.send_c_echo().Status == 0
    assert suite in TLS_1_2_CIPHER_SUITES or version is ssl.TLSVersion.TLSv1_3
    assert bits >= 128
    association.release()
    assert echo(node.address, DEVICE) < 10


@pytest.mark.parametrize("suite", TLS_1_2_CIPHER_SUITES[1::2])
def test_the_suites_that_bcp_195_asks_for_are_there(node: Node, keys: Keys, suite: str) -> None:
    context = keys.calling()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(suite)

    assert echoes(node, context)


def test_tls_1_1_is_refused(node: Node, keys: Keys) -> None:
    context = keys.calling()
    # OpenSSL itself speaks it no more at its usual level.
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1

    assert fault_of(node, context) == "TLSV1_ALERT_PROTOCOL_VERSION"


@pytest.mark.parametrize("suite", ["AES128-GCM-SHA256", "ECDHE-RSA-AES256-SHA384"])
def test_suites_without_forward_secrecy_or_authentication_are_refused(
    node: Node, keys: Keys, suite: str
) -> None:
    context = keys.calling()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(suite)

    assert fault_of(node, context) == "SSLV3_ALERT_HANDSHAKE_FAILURE"


def test_a_caller_without_a_certificate_is_refused(node: Node, keys: Keys) -> None:
    without = calling_context(keys.authority, None)

    assert fault_of(node, without) == "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    assert fault_of(node, keys.calling()) == ""


def test_without_authorities_nobody_needs_a_certificate(
    tls_settings: Settings, database: Database, keys: Keys
) -> None:
    trusting = tls_settings.model_copy(update={"tls_client_ca": ""})
    with running_node(trusting, database) as node:
        assert echoes(node, calling_context(keys.authority, None))


def test_certificates_of_another_authority_or_another_time_are_refused(
    node: Node, keys: Keys, tmp_path: Path
) -> None:
    stranger = make_authority(tmp_path / "stranger").issue("device")
    expired = keys.authority.issue("expired", days=-1)

    faults = [fault_of(node, keys.calling(shown)) for shown in (stranger, expired)]

    assert faults == ["TLSV1_ALERT_UNKNOWN_CA", "SSLV3_ALERT_CERTIFICATE_EXPIRED"]


def test_the_plain_port_can_be_switched_off(
    tls_settings: Settings, database: Database, keys: Keys
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    closed = tls_settings.model_copy(update={"dicom_plain": False, "dicom_port": port})

    with running_node(closed, database) as node, socket.socket() as caller:
        assert node.port == 0
        assert caller.connect_ex(("127.0.0.1", port)) != 0
        assert echoes(node, keys.calling())


def test_a_taken_tls_port_leaves_no_port_open(
    tls_settings: Settings, database: Database, keys: Keys
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        plain = probe.getsockname()[1]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = {"dicom_port": plain, "dicom_tls_port": taken.getsockname()[1]}
        settings = tls_settings.model_copy(update=ports)
        with pytest.raises(PortUnavailable, match=str(ports["dicom_tls_port"])):
            DicomServer(settings, database, Storage(settings.storage)).start()

    with socket.socket() as caller:
        assert caller.connect_ex(("127.0.0.1", plain)) != 0


@pytest.mark.parametrize("opening", [b"", HALF_A_HELLO])
def test_connections_that_never_finish_their_hello_hold_nobody_up(
    tls_settings: Settings, database: Database, keys: Keys, opening: bytes
) -> None:
    one = tls_settings.model_copy(update={"maximum_associations": 1})
    with running_node(one, database) as node, ExitStack() as idle:
        before = count_serving_threads()
        for _ in range(100):
            connect(node, idle).sendall(opening)

        assert count_serving_threads() <= before
        assert echoes(node, keys.calling())
        assert echo(node.address, DEVICE) < 10


def connect(node: Node, until: ExitStack) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", node.tls_port), timeout=20)
    return until.enter_context(connection)


def client_hello(keys: Keys) -> bytes:
    sent = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        keys.calling().wrap_bio(ssl.MemoryBIO(), sent, server_hostname="127.0.0.1").do_handshake()
    return sent.read()


def test_handshakes_that_stop_after_the_hello_hold_nobody_up(
    tls_settings: Settings, database: Database, keys: Keys
) -> None:
    one = tls_settings.model_copy(update={"maximum_associations": 1})
    hello = client_hello(keys)
    with running_node(one, database) as node, ExitStack() as idle:
        before = count_serving_threads()
        stalled = [connect(node, idle) for _ in range(SEATS + 20)]
        for connection in stalled:
            connection.sendall(hello)

        assert echoes(node, keys.calling())
        # Who came first went for those who came last, and its thread with it.
        assert wait_until(lambda: count_serving_threads() <= before + SEATS, 30)
        assert drained(stalled[0])


def drained(connection: socket.socket) -> bool:
    while connection.recv(65536):
        pass
    return True


def test_callers_who_ask_for_nothing_after_the_handshake_take_no_association(
    tls_settings: Settings, database: Database, keys: Keys
) -> None:
    one = tls_settings.model_copy(update={"maximum_associations": 1})
    with running_node(one, database) as node, ExitStack() as idle:
        for _ in range(5):
            tls = keys.calling().wrap_socket(connect(node, idle), server_hostname="127.0.0.1")
            idle.enter_context(tls).sendall(b"\x01\x00\x00")

        assert all(echoes(node, keys.calling()) for _ in range(3))


def test_a_caller_that_is_too_slow_is_shown_out(
    tls_settings: Settings, database: Database, keys: Keys
) -> None:
    impatient = tls_settings.model_copy(update={"acse_timeout_seconds": 0.3})
    with running_node(impatient, database) as node, ExitStack() as idle:
        silent, half, asking = (connect(node, idle) for _ in range(3))
        half.sendall(HALF_A_HELLO)
        asking.sendall(client_hello(keys))

        assert all(drained(connection) for connection in (silent, half, asking))


@pytest.mark.parametrize("noise", [b"GET / HTTP/1.1\r\n\r\n", b"\x01\x00\x00\x00\x00\xcd" * 9])
def test_noise_on_the_tls_port_harms_nobody(node: Node, keys: Keys, noise: bytes) -> None:
    with socket.create_connection(("127.0.0.1", node.tls_port), timeout=10) as connection:
        connection.sendall(noise)
        assert drained(connection)

    assert echoes(node, keys.calling())


def test_noise_inside_tls_harms_nobody(node: Node, keys: Keys) -> None:
    with ExitStack() as open_until:
        tls = keys.calling().wrap_socket(connect(node, open_until), server_hostname="127.0.0.1")
        with tls:
            tls.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert drained(tls)

    assert echoes(node, keys.calling())


def test_a_tls_caller_on_the_plain_port_is_shown_out(node: Node, keys: Keys) -> None:
    with socket.create_connection(("127.0.0.1", node.port), timeout=10) as connection:
        connection.sendall(client_hello(keys))
        assert drained(connection)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_large_object_is_kept_byte_for_byte(
    node: Node, keys: Keys, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    content = bytes(range(251)) * (60_000_000 // 251)
    encoded = encode_instance(PixelData=content + content[: len(content) % 2])
    path = tmp_path / "large.dcm"
    path.write_bytes(as_file(encoded))
    context = keys.calling()
    context.minimum_version = context.maximum_version = version
    association = call(node, context)

    status = association.send_c_store(path).Status
    association.release()

    with node.database.reading() as session:
        digests = session.exec(select(InstanceRow.digest)).all()
    assert (status, digests) == (0, [sha256(encoded.data_set).hexdigest()])
    assert read_file(node, "1.2.3.1.1.1").read_bytes().endswith(encoded.data_set)


def test_a_caller_that_leaves_in_the_middle_leaves_nothing(node: Node, keys: Keys) -> None:
    encoded = encode_instance(PixelData=bytes(1 << 20))
    association = call(node, keys.calling())
    [context_id] = [
        context.context_id or 0
        for context in association.accepted_contexts
        if context.abstract_syntax == OPHTHALMIC_TOMOGRAPHY
    ]
    command = fragments(store_command(encoded), is_command=True, context_id=context_id)
    begun, _ = fragments(encoded.data_set, is_command=False, sizes=[100_000], context_id=context_id)
    unfinished = node.archive.storage.root / ".unfinished"
    connection = association.dul.socket.socket  # type: ignore[union-attr]
    assert connection is not None
    connection.sendall(pdu_of(command) + pdu_of([begun]))
    assert wait_until(lambda: len(list(unfinished.iterdir())) == 1, 30)

    connection.close()

    assert wait_until(lambda: list(unfinished.iterdir()) == [], 30)
    association.abort()
    with node.database.reading() as session:
        assert session.exec(select(InstanceRow)).all() == []
    assert echoes(node, keys.calling())
