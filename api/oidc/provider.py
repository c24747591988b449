"""The OpenID provider as it describes itself: where its endpoints are, and its public keys.

Both are asked for when they are first needed, and again when they are old; keys also when a token
names one that is new, so that a provider may change them at any time.
"""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet, import_key

from api.errors import ProviderAway
from api.oidc.renewing import Renewing
from core.logs import get_logger
from core.settings import Settings, is_loopback

_DISCOVERY_PATH: Final = "/.well-known/openid-configuration"
_TIMEOUT_SECONDS: Final = 10.0
#: Of a grant that is not valid, and of a client that is not (RFC 6749, 5.2).
_REFUSALS: Final = frozenset({400, 401})
#: Those that sign; a shared secret in a list of public keys is none.
_KEY_TYPES: Final = frozenset({"RSA", "EC", "OKP"})
_LOG = get_logger(__name__)


@dataclass(frozen=True)
class Endpoints:
    """Where the provider does what; empty for what it does not do."""

    authorization: str
    token: str
    keys: str
    userinfo: str
    end_session: str
    takes_secret_in_body: bool


class Provider:
    """One provider, for all threads of a process.

    Parameters
    ----------
    clock
        Seconds, of which only differences count.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = monotonic) -> None:
        self.settings = settings
        self._known = Renewing(clock)
        self._trusted = _trusted(settings)
        self._is_local = is_loopback(urlsplit(settings.oidc_issuer).hostname or "")

    def endpoints(self) -> Endpoints:
        """Return where the provider does what.

        Raises
        ------
        ProviderAway
            If it does not answer, or describes another issuer.
        """
        found: Endpoints = self._known.value("endpoints", self._discover)
        return found

    def keys(self, key_id: str | None) -> KeySet:
        """Return the provider's public keys, asked for anew where none of them is `key_id`.

        Raises
        ------
        ProviderAway
            If it does not answer, or is being asked for that key at this moment.
        """
        address = self.endpoints().keys
        keys: KeySet = self._known.value(
            "keys", lambda: self._fetch_keys(address), lambda known: _lacks(known, key_id)
        )
        return keys

    def get(self, address: str, token: str) -> Mapping[str, Any]:
        """Return what an endpoint answers to an access token, as JSON."""
        return self._json("GET", address, headers={"Authorization": f"Bearer {token}"})

    def post(self, address: str, body: str, headers: Mapping[str, str]) -> Mapping[str, Any]:
        """Return what an endpoint answers to a form, as JSON."""
        return self._json("POST", address, content=body, headers=dict(headers))

    def _discover(self) -> Endpoints:
        issuer = self.settings.oidc_issuer
        found = self._json("GET", issuer.rstrip("/") + _DISCOVERY_PATH)
        if found.get("issuer") != issuer:
            raise ProviderAway(
                "The OpenID provider names itself otherwise than oidc_issuer: write it as it does"
            )
        methods = found.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        return Endpoints(
            authorization=_address(found, "authorization_endpoint"),
            token=_address(found, "token_endpoint"),
            keys=_address(found, "jwks_uri"),
            userinfo=_address(found, "userinfo_endpoint", is_needed=False),
            end_session=_address(found, "end_session_endpoint", is_needed=False),
            takes_secret_in_body="client_secret_basic" not in methods,
        )

    def _fetch_keys(self, address: str) -> KeySet:
        found = self._json("GET", address).get("keys")
        if not isinstance(found, list):
            raise ProviderAway("The OpenID provider lists no keys")
        return KeySet([key for entry in found if (key := _signing_key(entry)) is not None])

    def _json(self, method: str, address: str, **request: Any) -> Mapping[str, Any]:
        try:
            # Rare enough that no connection is kept.
            answer = httpx.request(
                method,
                address,
                verify=self._trusted,
                timeout=_TIMEOUT_SECONDS,
                trust_env=not self._is_local,
                **request,
            )
            found = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            # Its message may quote what was sent.
            kind = type(error).__name__
            raise ProviderAway(
                f"The OpenID provider does not answer as it should: {kind}"
            ) from None
        if answer.is_error or not isinstance(found, dict):
            raise ProviderAway(
                f"The OpenID provider answers {answer.status_code}",
                is_refusal=answer.status_code in _REFUSALS,
            )
        return found


def _lacks(keys: KeySet, key_id: str | None) -> bool:
    return key_id is not None and all(key.kid != key_id for key in keys)


def _trusted(settings: Settings) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if settings.oidc_ca:
        context.load_verify_locations(cafile=settings.oidc_ca)
    return context


def _address(found: Mapping[str, Any], name: str, is_needed: bool = True) -> str:
    address = found.get(name, "")
    if not address and not is_needed:
        return ""
    parts = urlsplit(address if isinstance(address, str) else "")
    is_safe = parts.scheme == "https" or (
        parts.scheme == "http" and is_loopback(parts.hostname or "")
    )
    if not is_safe:
        raise ProviderAway(f"The OpenID provider's {name} is no https:// address")
    return str(address)


def _signing_key(entry: object) -> Key | None:
    if not isinstance(entry, dict) or entry.get("kty") not in _KEY_TYPES:
        return None
    if entry.get("use", "sig") != "sig":
        return None
    try:
        return import_key(entry)
    except (JoseError, ValueError, TypeError):
        _LOG.warning("provider_key_unusable", key_type=entry.get("kty"))
        return None
