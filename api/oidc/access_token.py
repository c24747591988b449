"""Who shows an access token."""

from datetime import UTC, datetime

from api.caller import Caller, Proof
from api.errors import TokenRefused
from api.oidc.people import person_of
from api.oidc.provider import Provider
from api.oidc.tokens import access_claims
from api.sessions import signed_out_at
from core.database import Database


def caller_with_token(provider: Provider, database: Database, token: str) -> Caller:
    """Return who shows a token.

    Raises
    ------
    TokenRefused
        If it is not valid, or from before they signed out everywhere.
    LoginWithoutRole
        If none of their groups has a role here.
    ProviderAway
        If the provider's keys are not known and it does not answer.
    """
    claims = access_claims(provider, token)
    person = person_of(claims, provider.settings, Proof.TOKEN)
    with database.reading() as session:
        signed_out = signed_out_at(session, person.subject)
    if signed_out is not None and datetime.fromtimestamp(claims["iat"], UTC) <= signed_out:
        raise TokenRefused("its holder has signed out since", is_forged=False)
    return person
