"""Reading the provider's tokens: whose signature is on them, for whom they are, until when."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import time
from typing import Any, Final

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jws import JWSRegistry, extract_compact
from joserfc.jwt import JWTClaimsRegistry

from api.errors import TokenRefused
from api.oidc.provider import Provider

#: Signatures by a private key of the provider. Neither "none", nor those by a shared secret:
#: whoever can check one can make it, and a public key could be taken for the secret.
ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "Ed25519"),
)
LARGEST_TOKEN_BYTES: Final = 16 * 1024
#: Clocks of provider and node may differ by this much.
LEEWAY_SECONDS: Final = 30
#: Types of token that give access (RFC 9068, 2.1), or of which nothing is said.
_ACCESS_TYPES: Final = frozenset({"", "jwt", "at+jwt", "application/at+jwt"})
#: What only the other kind of token holds, which tells who signed in and gives access to nothing.
_ID_TOKEN_CLAIMS: Final = frozenset({"nonce", "at_hash", "c_hash", "s_hash"})

#: Claims a refusal may name: they hold nothing of a person.
_NAMED_CLAIMS: Final = frozenset({"iss", "aud", "sub", "exp", "iat", "nbf", "nonce", "azp"})


@dataclass(frozen=True)
class SignIn:
    """What a person's ID token must be for: this signing in, and no other."""

    nonce: str
    access_token: str


def access_claims(
    provider: Provider, token: str, clock: Callable[[], float] = time
) -> Mapping[str, Any]:
    """Return what a valid access token says.

    Raises
    ------
    TokenRefused
        If it is not valid, not for us, or no access token.
    ProviderAway
        If its keys are not known and the provider does not answer.
    """
    settings = provider.settings
    decoded = _verified(provider, token)
    kind = decoded.header.get("typ", "")
    if not isinstance(kind, str) or kind.lower() not in _ACCESS_TYPES:
        raise TokenRefused("it is of another type")
    if not _ID_TOKEN_CLAIMS.isdisjoint(decoded.claims):
        raise TokenRefused("it is an ID token, which gives no access")
    rules = JWTClaimsRegistry(
        now=lambda: int(clock()),
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": settings.oidc_issuer},
        aud={"essential": True, "value": settings.oidc_audience},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
    )
    with _named_refusals():
        rules.validate(decoded.claims)
    return decoded.claims


def identity_claims(
    provider: Provider, token: str, sign_in: SignIn, clock: Callable[[], float] = time
) -> Mapping[str, Any]:
    """Return what a person's valid ID token says (OpenID Connect Core 1.0, 3.1.3.7).

    Raises
    ------
    TokenRefused
        If it is not valid, not for us, or of another signing in.
    ProviderAway
        If its keys are not known and the provider does not answer.
    """
    settings = provider.settings
    decoded = _verified(provider, token)
    claims = CodeIDToken(
        decoded.claims,
        decoded.header,
        {"iss": {"value": settings.oidc_issuer}, "aud": {"value": settings.oidc_client_id}},
        {
            "nonce": sign_in.nonce,
            "client_id": settings.oidc_client_id,
            "access_token": sign_in.access_token,
        },
    )
    with _named_refusals():
        claims.validate(int(clock()), LEEWAY_SECONDS)
    return dict(claims)


@contextmanager
def _named_refusals() -> Generator[None]:
    """Give what the libraries refuse our name, and none of the token's content."""
    try:
        yield
    except ExpiredTokenError:
        raise TokenRefused("it is expired", is_forged=False) from None
    except JoseError as error:
        claim = getattr(error, "claim", "")
        about = f" ({claim})" if claim in _NAMED_CLAIMS else ""
        raise TokenRefused(f"{error.error.replace('_', ' ')}{about}") from None
    except (ValueError, TypeError, RecursionError):
        raise TokenRefused("it is no token") from None


def _verified(provider: Provider, token: str) -> jwt.Token:
    encoded = token.encode("utf-8", "replace")
    if len(encoded) > LARGEST_TOKEN_BYTES:
        raise TokenRefused("it is too long")
    # Members of a header that are not known are ignored (RFC 7515, 4).
    registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    registry.max_header_length = registry.max_payload_length = LARGEST_TOKEN_BYTES
    with _named_refusals():
        key_id = extract_compact(encoded, registry=registry).headers().get("kid")
        keys = provider.keys(key_id if isinstance(key_id, str) else None)
        return jwt.decode(encoded, keys, algorithms=ALGORITHMS, registry=registry)
