"""Posting one message to one address."""

import ssl
from http import HTTPStatus
from typing import Final, Self
from urllib.parse import urlsplit

import httpx

from core.clock import Clock, utc_now
from core.errors import NodeError, SettingsInvalid
from core.settings import Settings, is_loopback
from core.webhooks import check_address
from dicom_node.webhooks.message import Message

#: Longest pause a receiver may ask for, seconds.
_LONGEST_PAUSE_SECONDS: Final = 3600.0
_LONGEST_ANSWER_BYTES: Final = 1 << 16
_ASKS_FOR_PAUSE: Final = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


class NotTaken(NodeError):
    """The receiver did not take a message.

    `pause_seconds` is what it asked to wait at least, 0 where it asked for nothing.
    """

    retry = True

    def __init__(self, message: str, pause_seconds: float = 0.0) -> None:
        super().__init__(message)
        self.pause_seconds = pause_seconds


class Poster:
    """Posts messages to one address, over one connection while it holds.

    Parameters
    ----------
    secret
        Signs each message.
    tls
        Whose certificates are believed.
    """

    def __init__(
        self,
        url: str,
        secret: str,
        settings: Settings,
        tls: ssl.SSLContext,
        clock: Clock = utc_now,
    ) -> None:
        # A setting may have been taken back since it was subscribed.
        check_address(url, settings.webhook_allow_http)
        self._url, self._secret, self._clock = url, secret, clock
        self._client = httpx.Client(
            verify=tls,
            timeout=settings.webhook_timeout_seconds,
            follow_redirects=False,
            headers={"User-Agent": "arcuate"},
            # What stays on this machine goes through no proxy.
            trust_env=not is_loopback(urlsplit(url).hostname or ""),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def post(self, message: Message) -> None:
        """Post a message; return once the receiver answered that it has it, with any 2xx.

        Raises
        ------
        NotTaken
            If it did not; the message names no address, which may hold a secret.
        """
        headers = message.headers(self._secret, self._clock())
        try:
            with self._client.stream(
                "POST", self._url, content=message.body, headers=headers
            ) as answer:
                status, asked = answer.status_code, answer.headers.get("retry-after", "")
                _read_out(answer)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise NotTaken(f"no answer: {type(error).__name__}") from error
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise NotTaken(_cause(status), _pause(status, asked))


def trusted(settings: Settings) -> ssl.SSLContext:
    """Return whose certificates are believed: the system's authorities and those of webhook_ca.

    Raises
    ------
    SettingsInvalid
        If the file cannot be used.
    """
    context = ssl.create_default_context()
    if settings.webhook_ca:
        try:
            context.load_verify_locations(settings.webhook_ca)
        except OSError as error:
            raise SettingsInvalid("webhook_ca: no PEM file of certificates") from error
    return context


def _read_out(answer: httpx.Response) -> None:
    """Read what is left of a short answer, which says nothing to us, to keep the connection."""
    read = 0
    for chunk in answer.iter_raw():
        read += len(chunk)
        if read > _LONGEST_ANSWER_BYTES:
            return


def _cause(status: int) -> str:
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return f"answered {status}: redirects are not followed, subscribe the final address"
    return f"answered {status}"


def _pause(status: int, asked: str) -> float:
    if status not in _ASKS_FOR_PAUSE or not asked.isascii() or not asked.isdigit():
        return 0.0
    return min(float(asked), _LONGEST_PAUSE_SECONDS)
