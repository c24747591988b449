"""A DICOMweb service: objects go there by STOW-RS (PS3.18 10.5)."""

import ssl
from collections.abc import Generator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from core.deliveries.destinations import DestinationInvalid
from core.settings import Settings, is_loopback
from dicom_node.calling_errors import DestinationDown
from dicom_node.delivery.targets.http_authentication import authentication_of
from dicom_node.delivery.targets.retry_after import asked_pause_seconds
from dicom_node.delivery.targets.stow_answer import read_answer
from dicom_node.delivery.targets.target import (
    Commitment,
    Destination,
    Outgoing,
    Sent,
    Tools,
    Verdict,
)

_OPTIONS: Final = frozenset({"token_url", "client_id", "scope"})
#: The service, or what stands before it, is in trouble, or lets us in no more: no object's fault.
_OF_THE_SERVICE: Final = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
#: Answers that say what became of the object (PS3.18 table 10.5.3-1).
_TOLD: Final = frozenset({HTTPStatus.OK, HTTPStatus.ACCEPTED, HTTPStatus.CONFLICT})


class StowRs:
    """Sends to a DICOMweb service, with a bearer token or by OAuth client credentials."""

    kind = "stow_rs"
    about = (
        "ADDRESS is the URL of the DICOMweb service, to which /studies is added. The secret is a "
        "bearer token; with the options token_url=, client_id= and perhaps scope= it is the OAuth "
        "client's."
    )

    def read_options(
        self, address: str, options: Mapping[str, str], secret: str | None
    ) -> dict[str, Any]:
        """Check the URLs, and that no secret would go unencrypted."""
        unknown = sorted(set(options) - _OPTIONS)
        if unknown:
            raise DestinationInvalid(f"There is no option {unknown[0]}: {', '.join(_OPTIONS)}")
        for url in filter(None, (address, options.get("token_url"))):
            _check_url(url, is_secret=secret is not None)
        if bool(options.get("token_url")) != bool(options.get("client_id")):
            raise DestinationInvalid("token_url and client_id belong together")
        if options and not secret:
            raise DestinationInvalid("OAuth needs the client's secret")
        return dict(options)

    def commitment_of(self, destination: Destination) -> Commitment | None:
        """Ask for none: there is no such thing over the web."""
        return None

    def send(
        self, destination: Destination, objects: Sequence[Outgoing], tools: Tools
    ) -> Generator[Sent]:
        """Send each object in a request of its own, on one connection."""
        with _client(destination, tools.settings) as client:
            for outgoing in objects:
                yield _store(client, outgoing)

    def probe(self, destination: Destination, tools: Tools) -> None:
        """Ask for one study: whoever answers, however, is there."""
        with _client(destination, tools.settings) as client:
            answer = _ask(client, "GET", "studies", params={"limit": "1"})
        if answer is None or answer.status_code in _OF_THE_SERVICE - {HTTPStatus.NOT_FOUND}:
            if answer is None:
                raise DestinationDown("It does not answer in time")
            raise _trouble(answer)


def _store(client: httpx.Client, outgoing: Outgoing) -> Sent:
    boundary = uuid4().hex
    answer = _ask(
        client,
        "POST",
        "studies",
        content=_body(boundary, outgoing.read()),
        headers={
            "Accept": "application/dicom+json",
            "Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}',
        },
    )
    if answer is None:
        return Sent(outgoing.delivery_id, Verdict.FAILED, "The service did not answer in time")
    if answer.status_code in _OF_THE_SERVICE or answer.is_redirect:
        raise _trouble(answer)
    if answer.status_code in _TOLD:
        told = read_answer(answer.status_code, answer.content, outgoing.sop_instance_uid)
        return Sent(outgoing.delivery_id, told.verdict, told.message)
    passes = answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
    verdict = Verdict.FAILED if passes else Verdict.REFUSED
    return Sent(outgoing.delivery_id, verdict, _status_text(answer))


def _body(boundary: str, content: bytes) -> bytes:
    head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    return b"".join((head, content, f"\r\n--{boundary}--\r\n".encode()))


def _ask(client: httpx.Client, method: str, path: str, **request: Any) -> httpx.Response | None:
    """Return the answer; None where it did not come in time."""
    try:
        return client.request(method, path, **request)
    except (httpx.ReadTimeout, httpx.WriteTimeout):
        return None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # The text of such an error names addresses and nothing else; its kind is enough.
        raise DestinationDown(f"The service cannot be reached ({type(error).__name__})") from error


def _client(destination: Destination, settings: Settings) -> httpx.Client:
    # With its slash, so that a path is added and does not take the place of the last one.
    base = destination.address.rstrip("/") + "/"
    context = _context(settings) if base.startswith("https:") else False
    is_local = is_loopback(urlsplit(base).hostname or "")
    return httpx.Client(
        base_url=base,
        timeout=settings.delivery_answer_seconds,
        auth=authentication_of(destination, context, settings.delivery_answer_seconds),
        verify=context,
        # A proxy of the environment leads to other machines only.
        trust_env=not is_local,
    )


def _context(settings: Settings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.tls_peer_ca or None)
    if settings.tls_cert:
        context.load_cert_chain(settings.tls_cert, settings.tls_key)
    return context


def _status_text(answer: httpx.Response) -> str:
    # What stands before a service may have numbers of its own, which have no words.
    words = httpx.codes.get_reason_phrase(answer.status_code)
    return f"The service answered {answer.status_code} {words}".rstrip()


def _trouble(answer: httpx.Response) -> DestinationDown:
    pause = asked_pause_seconds(answer.status_code, answer.headers)
    return DestinationDown(_status_text(answer), pause)


def _check_url(url: str, is_secret: bool) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise DestinationInvalid(f"{url!r} is no URL that begins with http:// or https://")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise DestinationInvalid("A URL holds no password, query or fragment: use the secret")
    if is_secret and parts.scheme == "http" and not is_loopback(parts.hostname):
        raise DestinationInvalid("A secret would go unencrypted over http://: use https://")
