import re
import socket
from datetime import UTC, datetime

import pytest

from core.settings import Settings
from dicom_node.atna.syslog import CollectorAway, StreamWire, open_wire, syslog_message
from tests.builders.audit import MORNING

#: RFC 5424, 6: the header, no structured data, and the mark of UTF-8 before the message.
_RFC_5424 = re.compile(
    rb"<(\d{1,3})>1 (\S+) (\S{1,255}) (\S{1,48}) (\S{1,128}) (\S{1,32}) - \xef\xbb\xbf(.*)", re.S
)


def test_message_has_the_head_of_the_standard() -> None:
    found = _RFC_5424.fullmatch(syslog_message(b"<AuditMessage/>", "node1", 42, MORNING))

    assert found is not None
    priority, at, *names, content = found.groups()
    assert (priority, names) == (b"85", [b"node1", b"arcuate", b"42", b"DICOM+RFC3881"])
    assert datetime.fromisoformat(at.decode()) == datetime(2026, 3, 4, 8, tzinfo=UTC)
    assert content == b"<AuditMessage/>"


def test_stream_has_the_length_before_each_message() -> None:
    ours, theirs = socket.socketpair()
    wire = StreamWire(ours)

    wire.send(b"one")
    wire.send("zwölf".encode())
    wire.check()

    assert theirs.recv(100) == b"3 one6 " + "zwölf".encode()
    theirs.close()
    with pytest.raises(CollectorAway, match="closed the connection"):
        wire.check()
    wire.close()


def test_nobody_there_is_said(settings_of_collector: Settings) -> None:
    with pytest.raises(CollectorAway, match="does not answer"):
        open_wire(settings_of_collector)


@pytest.fixture
def settings_of_collector() -> Settings:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    return Settings(audit_syslog=f"tcp://127.0.0.1:{port}")


@pytest.mark.parametrize("address", ["udp://10.0.0.9:514", "tcp://logs.example:601"])
def test_names_of_patients_leave_this_machine_by_tls_only(address: str) -> None:
    with pytest.raises(ValueError, match="must begin with tls://"):
        Settings(audit_syslog=address)


@pytest.mark.parametrize("address", ["http://x:1", "tls://host", "tls://host:port", "host:6514"])
def test_address_must_be_one(address: str) -> None:
    with pytest.raises(ValueError, match="audit_syslog"):
        Settings(audit_syslog=address)
