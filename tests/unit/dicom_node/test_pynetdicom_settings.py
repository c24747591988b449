import inspect
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

from pynetdicom import AE, _config
from pynetdicom.association import Association
from pynetdicom.dul import DULServiceProvider
from pynetdicom.fsm import StateMachine
from pynetdicom.transport import AssociationSocket

from dicom_node.pynetdicom_settings import act, close_socket, configure_pynetdicom, receive
from tests.fixtures.certificates import calling_context, make_authority


def test_no_identifier_reaches_a_log() -> None:
    configure_pynetdicom()

    assert (_config.LOG_HANDLER_LEVEL, _config.LOG_REQUEST_IDENTIFIERS) == ("none", False)
    assert _config.LOG_RESPONSE_IDENTIFIERS is False


def test_a_connection_that_was_never_made_is_closed() -> None:
    association = Association(AE("TEST"), "requestor")
    connection = socket.socket()
    transport = AssociationSocket(association, client_socket=connection)

    close_socket(transport)

    assert connection.fileno() == -1


def test_an_encrypted_connection_is_closed_with_the_last_word_of_tls(
    tmp_path: Path, need: Callable[[str], None]
) -> None:
    need("openssl")
    authority = make_authority(tmp_path / "authority")
    shown = authority.issue("server")
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(shown.path, shown.key)
    ours, theirs = socket.socketpair()
    connection = serving.wrap_socket(ours, server_side=True, do_handshake_on_connect=False)
    answering = threading.Thread(target=connection.do_handshake)
    answering.start()
    with calling_context(authority, None).wrap_socket(
        theirs, server_hostname="127.0.0.1", suppress_ragged_eofs=False
    ) as peer:
        answering.join()

        close_socket(AssociationSocket(Association(AE("TEST"), "requestor"), connection))

        assert connection.fileno() == -1
        # Without it, reading would be a fault: somebody may have cut the connection.
        assert peer.recv(1) == b""


def test_the_repaired_names_are_still_the_ones_pynetdicom_calls() -> None:
    configure_pynetdicom()

    assert AssociationSocket._shutdown_socket is close_socket
    assert "self._shutdown_socket()" in inspect.getsource(AssociationSocket.close)
    assert "self._shutdown_socket()" in inspect.getsource(AssociationSocket.connect)
    assert AssociationSocket.recv is receive
    assert StateMachine.do_action is act
    assert "self.state_machine.do_action(event)" in inspect.getsource(
        DULServiceProvider.run_reactor
    )
    assert inspect.getsource(DULServiceProvider._read_pdu_data).count("self.socket.recv(") == 2


def test_a_word_that_crosses_another_ends_the_association_without_an_exception() -> None:
    association = Association(AE("TEST"), "acceptor")
    connection, peer = socket.socketpair()
    association.dul.socket = AssociationSocket(association, client_socket=connection)
    association.dul.state_machine.current_state = "Sta13"

    with peer:
        act(association.dul.state_machine, "Evt14")

        assert peer.recv(1) == b""
    assert association.dul._kill_thread
