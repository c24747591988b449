"""How we show a web service who we are: a bearer token, or one that OAuth gives us for a while."""

import ssl
import time
from collections.abc import Generator
from typing import Final

import httpx

from dicom_node.calling_errors import DestinationDown
from dicom_node.delivery.targets.target import Destination

#: A token is renewed that long before it ends: clocks differ, and a request takes its time.
_EARLY_SECONDS: Final = 30.0
#: RFC 6749 5.1 leaves the life of a token open.
_LIFE_SECONDS: Final = 300.0


def authentication_of(
    destination: Destination, verify: ssl.SSLContext | bool, timeout_seconds: float
) -> httpx.Auth | None:
    """Return how to show who we are; None where a destination has no secret."""
    if destination.secret is None:
        return None
    if destination.options.get("token_url"):
        return ClientCredentials(destination, destination.secret, verify, timeout_seconds)
    return BearerToken(destination.secret)


class BearerToken(httpx.Auth):
    """The same token each time (RFC 6750)."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """Add the token."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


class ClientCredentials(httpx.Auth):
    """A token of OAuth 2.0 client credentials (RFC 6749 4.4), kept as long as it lives.

    Where it is refused before that, one more is asked for, once a request.
    """

    requires_response_body = True

    def __init__(
        self,
        destination: Destination,
        secret: str,
        verify: ssl.SSLContext | bool,
        timeout_seconds: float,
    ) -> None:
        self._url = destination.options["token_url"]
        self._client = (destination.options["client_id"], secret)
        self._scope = destination.options.get("scope", "")
        self._verify, self._timeout = verify, timeout_seconds
        self._token, self._ends_at = "", 0.0

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """Add a token that lives, and a new one where that is refused."""
        if time.monotonic() > self._ends_at:
            self._renew()
        request.headers["Authorization"] = f"Bearer {self._token}"
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            self._renew()
            request.headers["Authorization"] = f"Bearer {self._token}"
            yield request

    def _renew(self) -> None:
        form = {"grant_type": "client_credentials"} | (
            {"scope": self._scope} if self._scope else {}
        )
        try:
            answer = httpx.post(
                self._url,
                data=form,
                auth=self._client,
                headers={"Accept": "application/json"},
                verify=self._verify or True,
                timeout=self._timeout,
            )
            answer.raise_for_status()
            given = answer.json()
            self._token = str(given["access_token"])
            life = float(given.get("expires_in", _LIFE_SECONDS))
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            # Nothing of the answer: it may repeat what was sent.
            raise DestinationDown(
                f"The token service gave no token ({type(error).__name__})"
            ) from error
        self._ends_at = time.monotonic() + life - _EARLY_SECONDS
