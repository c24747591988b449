"""Checks of what encrypts: our certificate, and what bound peers need."""

from datetime import UTC, datetime, timedelta
from typing import Final

from arcuate.finding import Finding, Health
from core.settings import Settings
from core.tls import certificate_expiry, server_context

#: How long before the end of our certificate its renewal is asked for.
RENEWAL_TIME: Final = timedelta(days=30)


def check_tls(settings: Settings) -> Finding:
    """Look whether callers would take our certificate, and for how long.

    Raises
    ------
    CertificateUnusable
        If they would not.
    """
    if not settings.tls_cert:
        return Finding("tls", Health.GOOD, "not used: connections are not encrypted")
    server_context(settings, asks_for_certificate=True)
    expiry = certificate_expiry(settings)
    found = f"certificate valid until {expiry:%Y-%m-%d}"
    if expiry - datetime.now(UTC) < RENEWAL_TIME:
        remedy = "Renew tls_cert, then start the node again: it reads the file at its start."
        return Finding("tls", Health.NOTE, found, remedy)
    if not settings.tls_client_ca:
        found = f"{found}; devices are not asked for theirs, bound ones cannot call"
        return Finding("tls", Health.NOTE, found, "Set ARCUATE_TLS_CLIENT_CA.")
    if settings.dicom_plain:
        remedy = "ARCUATE_DICOM_PLAIN=false closes the port that is not encrypted."
        return Finding("tls", Health.NOTE, f"{found}; the plain DICOM port is open too", remedy)
    return Finding("tls", Health.GOOD, found)
