"""TLS for every port of ours, as BCP 195 (RFC 8996, RFC 9325) and PS3.15 annex B want it.

TLS 1.2 and 1.3 only; in 1.2 forward secrecy and authenticated encryption; neither renegotiation nor
compression.
"""

import ssl
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final, NoReturn, TypeVar

from core.errors import SettingsInvalid
from core.logs import get_logger
from core.settings import Settings

#: The cipher suites RFC 9325 4.2 recommends, by OpenSSL's names; those of TLS 1.3 are all allowed.
TLS_1_2_CIPHER_SUITES: Final = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
)

_Context = TypeVar("_Context", bound=ssl.SSLContext)

_log = get_logger(__name__)


class CertificateUnusable(SettingsInvalid):
    """The TLS certificate, its key or the authorities of devices cannot be used."""


class CertificateRefused(CertificateUnusable):
    """Callers refuse the TLS certificate: it has expired, or is not valid yet."""


def server_context(settings: Settings, asks_for_certificate: bool) -> ssl.SSLContext:
    """Return the context of a port that serves TLS.

    Parameters
    ----------
    asks_for_certificate
        Whether callers must show a certificate, where `tls_client_ca` is set.

    Raises
    ------
    CertificateUnusable
        If a file is missing, damaged, or the key is another certificate's.
    """
    context = harden(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_NO_TICKET
    # Devices do not resume sessions, and a ticket that nobody reads ends a connection with a fault.
    context.num_tickets = 0
    load_certificate(context, settings)
    try:
        _expiry(context, settings)
    except CertificateRefused as error:
        # Who still calls the plain port must not lose a night to it; doctor is red, too.
        _log.error("tls_certificate_refused", cause=str(error))
    if asks_for_certificate and settings.tls_client_ca:
        load_authorities(context, "tls_client_ca", settings.tls_client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def certificate_expiry(settings: Settings) -> datetime:
    """Return until when our certificate is valid.

    Raises
    ------
    CertificateUnusable
        If it cannot be used now.
    """
    context = harden(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    load_certificate(context, settings)
    return _expiry(context, settings)


def fingerprint(certificate: bytes) -> str:
    """Return the SHA-256 of a certificate in DER, in hexadecimal."""
    return sha256(certificate).hexdigest()


def read_fingerprint(certificate: bytes) -> str:
    """Return the SHA-256 of the first certificate in a PEM or DER file, in hexadecimal.

    Raises
    ------
    CertificateUnusable
        If there is none.
    """
    try:
        # A PEM file may hold more, before the certificate and after it.
        pem = certificate.decode("ascii").partition(ssl.PEM_FOOTER)[0]
        encoded = ssl.PEM_cert_to_DER_cert(
            f"{ssl.PEM_HEADER}{pem.partition(ssl.PEM_HEADER)[2]}{ssl.PEM_FOOTER}"
        )
    except ValueError:
        encoded = certificate
    try:
        harden(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)).load_verify_locations(cadata=encoded)
    except (ssl.SSLError, ValueError) as error:
        raise CertificateUnusable("the file holds no certificate in PEM or DER") from error
    return fingerprint(encoded)


def harden(context: _Context) -> _Context:
    """Set versions, suites and options as BCP 195 wants them; return the context."""
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(":".join(TLS_1_2_CIPHER_SUITES))
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    return context


def load_certificate(context: ssl.SSLContext, settings: Settings) -> None:
    """Let a context show our certificate.

    Raises
    ------
    CertificateUnusable
        If a file is missing, damaged, or the key is another certificate's.
    """
    certificate, key = settings.tls_cert, settings.tls_key
    for setting, path in (("tls_cert", certificate), ("tls_key", key)):
        _check_is_readable(setting, path)

    def refuse_to_ask() -> NoReturn:
        # Without it, OpenSSL asks whoever sits at the terminal, and waits.
        raise CertificateUnusable(f"tls_key {key} is encrypted; a node needs it without a password")

    try:
        context.load_cert_chain(certificate, key, password=refuse_to_ask)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            message = f"tls_key {key} is not the key of the certificate in {certificate}"
            raise CertificateUnusable(message) from error
        name, path = ("tls_key", key) if _is_certificate(certificate) else ("tls_cert", certificate)
        raise CertificateUnusable(f"{name} {path} is not usable: {explain_fault(error)}") from error


def _expiry(context: ssl.SSLContext, settings: Settings) -> datetime:
    caller = harden(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    caller.check_hostname = False
    # What is judged is the certificate itself, not who signed it.
    caller.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    caller.load_verify_locations(settings.tls_cert)
    try:
        shown = _shake_hands(context, caller).getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        message = f"tls_cert {settings.tls_cert} is refused by callers: {error.verify_message}"
        raise CertificateRefused(message) from error
    except ssl.SSLError as error:
        message = f"tls_cert {settings.tls_cert} is not usable: {explain_fault(error)}"
        raise CertificateUnusable(message) from error
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC)


def load_authorities(context: ssl.SSLContext, setting: str, path: str) -> None:
    """Let a context trust what the authorities in a PEM file signed.

    Raises
    ------
    CertificateUnusable
        If the file, which `setting` names, is missing or damaged.
    """
    _check_is_readable(setting, path)
    try:
        context.load_verify_locations(path)
    except ssl.SSLError as error:
        message = f"{setting} {path} is not usable: {explain_fault(error)}"
        raise CertificateUnusable(message) from error


def _check_is_readable(setting: str, path: str) -> None:
    try:
        with Path(path).open("rb"):
            return
    except OSError as error:
        raise CertificateUnusable(f"{setting} {path} cannot be read: {error.strerror}") from error


def _is_certificate(path: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        return False
    return True


def explain_fault(error: ssl.SSLError) -> str:
    """Return what OpenSSL says was wrong, in its words."""
    return (error.reason or str(error)).lower().replace("_", " ")


def _shake_hands(server: ssl.SSLContext, caller: ssl.SSLContext) -> ssl.SSLObject:
    """Return the calling side after a handshake in memory: a caller is shown what it would be."""
    to_server, to_caller = ssl.MemoryBIO(), ssl.MemoryBIO()
    serving = server.wrap_bio(to_server, to_caller, server_side=True)
    calling = caller.wrap_bio(to_caller, to_server)
    waiting = [calling, serving]
    while waiting:
        side = waiting.pop(0)
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            waiting.append(side)
    return calling
