"""Verification SCP (PS3.4 annex A)."""

from pynetdicom.events import Event

from dicom_node.statuses import Status


def handle_echo(_event: Event) -> int:
    """Answer a C-ECHO-RQ: we are here."""
    return Status.SUCCESS
