import inspect
import socket

from pynetdicom import AE, _config
from pynetdicom.association import Association
from pynetdicom.dul import DULServiceProvider
from pynetdicom.transport import AssociationSocket

from dicom_node.pynetdicom_settings import close_socket, configure_pynetdicom, receive


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


def test_the_repaired_names_are_still_the_ones_pynetdicom_calls() -> None:
    configure_pynetdicom()

    assert AssociationSocket._shutdown_socket is close_socket
    assert "self._shutdown_socket()" in inspect.getsource(AssociationSocket.close)
    assert "self._shutdown_socket()" in inspect.getsource(AssociationSocket.connect)
    assert AssociationSocket.recv is receive
    assert inspect.getsource(DULServiceProvider._read_pdu_data).count("self.socket.recv(") == 2
