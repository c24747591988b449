"""A TLS connection that can be read ahead."""

import socket
import ssl
import time

from core.tls import fingerprint


class TLSConnection(ssl.SSLSocket):
    """The serving side of one TLS connection, used by one thread at a time.

    A context whose `sslsocket_class` this is makes them.

    Attributes
    ----------
    certificate_sha256
        Of the certificate the caller showed; None where it showed none.
    """

    certificate_sha256: str | None = None
    _ahead: bytes = b""

    def shake_hands(self, deadline: float) -> None:
        """Agree on keys, and learn the caller's certificate.

        Parameters
        ----------
        deadline
            Of the monotonic clock, in seconds.

        Raises
        ------
        OSError
            If the caller knows no common version or suite, has not the certificate it needs, or is
            too slow.
        """
        self._wait_until(deadline)
        self.do_handshake()
        certificate = self.getpeercert(binary_form=True)
        self.certificate_sha256 = fingerprint(certificate) if certificate else None

    def read_ahead(self, length_bytes: int, deadline: float) -> bytes:
        """Return that many of the next bytes; `recv` gives them again. Fewer where the peer left.

        Raises
        ------
        OSError
            If they do not come by then, or the connection breaks.
        """
        while len(self._ahead) < length_bytes:
            self._wait_until(deadline)
            received = super().recv(length_bytes - len(self._ahead))
            if not received:
                break
            self._ahead += received
        return self._ahead[:length_bytes]

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Read, first what was read ahead."""
        if not self._ahead:
            return super().recv(buflen, flags)
        taken, self._ahead = self._ahead[:buflen], self._ahead[buflen:]
        return taken

    def pending(self) -> int:
        """Return how many bytes can be read without asking the network."""
        return len(self._ahead) + super().pending()

    def cut(self) -> None:
        """End the connection from another thread, whatever its own is waiting for."""
        # SSLSocket's own shutdown() takes the TLS state away under that thread.
        socket.socket.shutdown(self, socket.SHUT_RDWR)

    def _wait_until(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the caller was too slow")
        self.settimeout(left)
