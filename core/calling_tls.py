"""TLS for the connections we open to peers: what we show there, and whom we trust."""

import ssl
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, cast

from core.settings import Settings
from core.tls import (
    CertificateUnusable,
    explain_fault,
    fingerprint,
    harden,
    load_authorities,
    load_certificate,
)

#: X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH of OpenSSL.
_OTHER_NAME: Final = frozenset({62, 64})
_BIND: Final = "bind the peer to it by --certificate"
_TRUST: Final = "tls_peer_ca names the authorities that are trusted"


class CallingContext(ssl.SSLContext):
    """The context of one connection to a peer.

    Attributes
    ----------
    certificate_sha256
        The one certificate the peer may show; None where any of its authority will do.
    fault
        Why the connection did not come about or ended; empty where nothing went wrong.
    """

    certificate_sha256: str | None = None
    fault: str = ""


class _PeerSocket(ssl.SSLSocket):
    """Looks at the peer's certificate before anything is sent, and remembers faults.

    pynetdicom tells that a connection failed, but not why.
    """

    def do_handshake(self, block: bool = False) -> None:
        with self._noted() as context:
            super().do_handshake(block)
        shown = self.getpeercert(binary_form=True) or b""
        if context.certificate_sha256 not in {None, fingerprint(shown)}:
            context.fault = "it shows another certificate than the one it is bound to"
            raise ConnectionRefusedError(context.fault)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        # In TLS 1.3 a peer that refuses our certificate says so after our last word.
        with self._noted():
            return super().recv(buflen, flags)

    @contextmanager
    def _noted(self) -> Generator[CallingContext]:
        context = cast("CallingContext", self.context)
        try:
            yield context
        except ssl.SSLWantReadError:
            raise
        except ssl.SSLCertVerificationError as error:
            remedy = _BIND if error.verify_code in _OTHER_NAME else _TRUST
            context.fault = f"its certificate is not trusted: {error.verify_message}; {remedy}"
            raise
        except ssl.SSLError as error:
            context.fault = explain_fault(error)
            raise


@dataclass(frozen=True)
class CallingTLS:
    """Makes the context of each connection; files are read anew each time, so renewed ones count.

    A peer that is bound to its certificate must show that one. Any other must show one that names
    the host we call: everything an authority signs for a clinic could pass for the PACS otherwise.
    """

    settings: Settings

    def context_for(self, certificate_sha256: str | None) -> CallingContext:
        """Return the context of a connection.

        Parameters
        ----------
        certificate_sha256
            What the peer is bound to, None where it is not.

        Raises
        ------
        CertificateUnusable
            If a file cannot be used, or nothing says whom to trust.
        """
        context = harden(CallingContext(ssl.PROTOCOL_TLS_CLIENT))
        context.sslsocket_class = _PeerSocket
        context.certificate_sha256 = certificate_sha256
        context.check_hostname = certificate_sha256 is None
        if self.settings.tls_cert:
            load_certificate(context, self.settings)
        self._trust(context)
        return context

    def _trust(self, context: CallingContext) -> None:
        settings = self.settings
        setting = "tls_peer_ca" if settings.tls_peer_ca else "tls_client_ca"
        path = getattr(settings, setting)
        if path:
            load_authorities(context, setting, path)
            # A peer that signed its own certificate is trusted by putting that into the file.
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        elif context.certificate_sha256 is not None:
            context.verify_mode = ssl.CERT_NONE
        else:
            raise CertificateUnusable(
                "nothing says which certificate to trust of a peer called over TLS: set "
                "tls_peer_ca, or bind the peer to its own by --certificate"
            )
