"""The private names of pynetdicom that `dicom_node.receive.seam` leans on."""

import inspect
import threading
import time

import pynetdicom
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.dul import DULServiceProvider

from dicom_node.receive.seam import Checkpoint


def test_the_version_is_the_one_the_seam_was_written_for() -> None:
    assert pynetdicom.__version__ == "3.0.4"


def test_the_names_are_there() -> None:
    association = Association(AE(), "acceptor")
    provider = association.dul

    assert isinstance(association._reactor_checkpoint, threading.Event)
    assert provider._kill_thread is False
    assert provider._idle_timer.expired is False
    assert callable(provider._read_pdu_data)
    assert provider.state_machine.current_state == "Sta1"


def test_the_reader_is_called_by_its_name_and_asks_the_socket_for_nothing_but_bytes() -> None:
    assert "self._read_pdu_data()" in inspect.getsource(DULServiceProvider._is_transport_event)
    source = inspect.getsource(DULServiceProvider._read_pdu_data)
    assert source.count("self.socket.") == source.count("self.socket.recv(") == 2


def test_the_checkpoint_waits_for_both_latches() -> None:
    checkpoint, passed = Checkpoint(), threading.Event()

    def wait() -> None:
        checkpoint.wait()
        passed.set()

    with checkpoint.held():
        waiting = threading.Thread(target=wait)
        waiting.start()
        checkpoint.set()
        assert not passed.wait(0.05)
    assert passed.wait(5)
    waiting.join()


def test_a_shut_checkpoint_keeps_waiting_after_we_let_go() -> None:
    checkpoint = Checkpoint()
    checkpoint.clear()

    with checkpoint.held():
        pass

    started = time.monotonic()
    assert not checkpoint.wait(0.02)
    assert time.monotonic() - started >= 0.02
