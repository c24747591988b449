"""Signing a person in by the provider: authorization code with PKCE, state and nonce.

(OpenID Connect Core 1.0, 3.1; RFC 7636; RFC 9207; RFC 9700.)
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from sqlmodel import Session, col, delete

from api.caller import Caller, Proof
from api.errors import ProviderLoginRefused, TokenRefused
from api.oidc.people import has_groups, person_of
from api.oidc.provider import Provider
from api.oidc.tokens import SignIn, identity_claims
from core.keys import digest, new_secret
from core.tables.logins import ProviderLoginRow

#: How long somebody may take to sign in at the provider.
LOGIN_LIFE: Final = timedelta(minutes=10)


@dataclass(frozen=True)
class Sent:
    """Where a browser is sent, and the secret it must bring back in a cookie."""

    address: str
    browser: str


@dataclass(frozen=True)
class Returned:
    """With what a browser comes back; empty for what it does not bring."""

    code: str
    state: str
    issuer: str
    browser: str


def begin(session: Session, provider: Provider, redirect_uri: str, now: datetime) -> Sent:
    """Record in the caller's transaction that someone is sent to the provider.

    Raises
    ------
    ProviderAway
        If it does not answer.
    """
    endpoint = provider.endpoints().authorization
    browser, state, nonce, verifier = (new_secret() for _ in range(4))
    row = ProviderLoginRow(
        state=digest(state),
        browser=digest(browser),
        nonce=nonce,
        code_verifier=verifier,
        expires_at=now + LOGIN_LIFE,
    )
    session.execute(delete(ProviderLoginRow).where(col(ProviderLoginRow.expires_at) <= now))
    session.add(row)
    session.flush()
    address = prepare_grant_uri(
        endpoint,
        provider.settings.oidc_client_id,
        "code",
        redirect_uri=redirect_uri,
        scope=provider.settings.oidc_scopes,
        state=state,
        nonce=nonce,
        code_challenge=create_s256_code_challenge(verifier),
        code_challenge_method="S256",
    )
    return Sent(str(address), browser)


def take_back(session: Session, returned: Returned, now: datetime) -> ProviderLoginRow:
    """Use up, in the caller's transaction, what was recorded when someone was sent.

    Raises
    ------
    ProviderLoginRefused
        If nobody was sent with that state, or another browser was, or too long ago.
    """
    row = session.get(ProviderLoginRow, digest(returned.state), with_for_update=True)
    if row is None or not hmac.compare_digest(row.browser, digest(returned.browser)):
        raise ProviderLoginRefused
    session.delete(row)
    session.flush()
    if row.expires_at <= now:
        raise ProviderLoginRefused
    return row


def finish(
    provider: Provider, returned: Returned, sent: ProviderLoginRow, redirect_uri: str
) -> tuple[Caller, str]:
    """Return whom the provider vouches for, and its refresh token; empty where it gives none.

    Raises
    ------
    ProviderLoginRefused
        If it gives no tokens for the code.
    TokenRefused
        If the one it gives is not for this signing in.
    LoginWithoutRole
        If none of their groups has a role here.
    ProviderAway
        If it does not answer.
    """
    settings = provider.settings
    if not returned.code or returned.issuer not in {"", settings.oidc_issuer}:
        raise ProviderLoginRefused
    form = {
        "grant_type": "authorization_code",
        "code": returned.code,
        "redirect_uri": redirect_uri,
        "code_verifier": sent.code_verifier,
    }
    tokens = ask_for_tokens(provider, form)
    person = person_of(claims_of(provider, tokens, sent.nonce), settings, Proof.SESSION)
    return person, str(tokens.get("refresh_token") or "")


def claims_of(
    provider: Provider, tokens: Mapping[str, Any], nonce: str, subject: str = ""
) -> Mapping[str, Any]:
    """Return what tokens say of a person, with their groups where the provider tells them.

    Parameters
    ----------
    nonce
        Of the signing in; empty where tokens were asked for again.
    subject
        Whose they must be; then they need hold no ID token (OpenID Connect Core 1.0, 12.2).

    Raises
    ------
    TokenRefused
        If the ID token is not valid, or of somebody else.
    ProviderAway
        If the provider does not answer.
    """
    access_token, identity = str(tokens.get("access_token", "")), tokens.get("id_token")
    claims: dict[str, Any] = {"sub": subject}
    if identity or not subject:
        claims = dict(identity_claims(provider, str(identity or ""), SignIn(nonce, access_token)))
    if subject and claims["sub"] != subject:
        raise TokenRefused("it is of somebody else")
    if not has_groups(claims, provider.settings):
        claims = {**_more(provider, access_token, claims["sub"]), **claims}
    return claims


def ask_for_tokens(provider: Provider, form: Mapping[str, str]) -> Mapping[str, Any]:
    """Return what the token endpoint gives for a form.

    Raises
    ------
    ProviderAway
        If it does not answer, or refuses.
    """
    endpoints, settings = provider.endpoints(), provider.settings
    secret = settings.oidc_secret
    method = "none"
    if secret:
        method = "client_secret_post" if endpoints.takes_secret_in_body else "client_secret_basic"
    body = urlencode(form)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    client = ClientAuth(settings.oidc_client_id, secret, method)
    address, headers, body = client.prepare("POST", endpoints.token, headers, body)
    return provider.post(address, body, headers)


def _more(provider: Provider, access_token: str, subject: object) -> Mapping[str, Any]:
    """Return what the provider tells of them beside the ID token; nothing of anyone else."""
    address = provider.endpoints().userinfo
    if not address or not access_token:
        return {}
    found = provider.get(address, access_token)
    return found if found.get("sub") == subject else {}
