"""The settings of who may ask: the OpenID provider, sessions, limits."""

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, Field, field_validator, model_validator

from core.errors import SettingsInvalid
from core.keys import Role

_LOCAL: Final = ("http://127.0.0.1", "http://localhost", "http://[::1]")


class AccessSettings(BaseModel):
    """Who may sign in, for how long, and how often anyone may ask."""

    oidc_issuer: Annotated[
        str,
        Field(description="With `auth = oidc`: issuer of the OpenID provider, as it names itself."),
    ] = ""
    oidc_client_id: Annotated[
        str, Field(description="What the provider calls this node, for signing in to the pages.")
    ] = ""
    oidc_client_secret: Annotated[
        str,
        Field(description="Secret the provider gave this node; empty for a public client."),
    ] = ""
    oidc_client_secret_file: Annotated[
        str, Field(description="File that holds that secret, instead.")
    ] = ""
    oidc_audience: Annotated[
        str,
        Field(description="What access tokens for the API must name as their audience (`aud`)."),
    ] = ""
    oidc_scopes: Annotated[
        str, Field(description="Scopes asked for at signing in; they must bring the roles claim.")
    ] = "openid profile"
    oidc_roles_claim: Annotated[
        str,
        Field(
            min_length=1,
            description="Claim that lists groups or roles; dots lead inside, as in "
            "`realm_access.roles`.",
        ),
    ] = "groups"
    oidc_roles: Annotated[
        str,
        Field(
            description="Which of them has which role here, as `eye-doctors=clinician; "
            "eye-admins=administrator`; whoever has none is refused."
        ),
    ] = ""
    oidc_ca: Annotated[
        str,
        Field(
            description="PEM file of authorities the provider's certificate may be signed by, "
            "besides those of the system."
        ),
    ] = ""
    session_hours: Annotated[
        float, Field(gt=0, le=168, description="After how long a browser signs in again, hours.")
    ] = 12.0
    session_idle_minutes: Annotated[
        float,
        Field(gt=0, description="After how long without a request it signs in again, minutes."),
    ] = 60.0
    login_failures: Annotated[
        int,
        Field(ge=1, description="Wrong keys and logins of an address before it has to pause."),
    ] = 5
    login_pause_seconds: Annotated[
        float, Field(gt=0, description="The first such pause; each further failure doubles it.")
    ] = 2.0
    login_longest_pause_seconds: Annotated[
        float, Field(gt=0, description="The longest such pause.")
    ] = 900.0
    logins_per_minute: Annotated[
        int,
        Field(
            ge=0,
            description="Logins of one address a minute, right or wrong, in each HTTP process; "
            "0: any number.",
        ),
    ] = 60
    requests_per_minute: Annotated[
        int,
        Field(
            ge=0,
            description="Requests of one caller a minute, in each HTTP process; 0: any number.",
        ),
    ] = 6000
    trusted_proxies: Annotated[
        str,
        Field(
            description="Addresses or networks of proxies whose `X-Forwarded-For` and "
            "`X-Forwarded-Proto` are believed, separated by commas; empty: none."
        ),
    ] = ""

    @field_validator("oidc_issuer")
    @classmethod
    def _check_issuer(cls, value: str) -> str:
        if value and not value.startswith(("https://", *_LOCAL)):
            raise ValueError("oidc_issuer must begin with https://")
        return value

    @field_validator("oidc_roles")
    @classmethod
    def _check_roles(cls, value: str) -> str:
        _mapping(value)
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _check_proxies(cls, value: str) -> str:
        for network in _split(value, ","):
            try:
                ip_network(network)
            except ValueError:
                raise ValueError(f"{network!r} is no address and no network") from None
        return value

    @model_validator(mode="after")
    def _check_secret(self) -> Self:
        if self.oidc_client_secret and self.oidc_client_secret_file:
            raise ValueError("oidc_client_secret and oidc_client_secret_file: set one of them")
        return self

    @property
    def oidc_role_map(self) -> dict[str, Role]:
        """The role of each group of `oidc_roles`."""
        return _mapping(self.oidc_roles)

    @property
    def oidc_secret(self) -> str:
        """The client secret, from the setting or its file.

        Raises
        ------
        SettingsInvalid
            If the file cannot be read.
        """
        if not self.oidc_client_secret_file:
            return self.oidc_client_secret
        try:
            return Path(self.oidc_client_secret_file).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsInvalid(f"oidc_client_secret_file cannot be read: {error}") from error

    @property
    def proxies(self) -> list[str]:
        """The networks of `trusted_proxies`."""
        return _split(self.trusted_proxies, ",")


def _mapping(value: str) -> dict[str, Role]:
    # The last equals sign: the names of a directory hold some, as in `CN=Eye,OU=Clinic=clinician`.
    pairs = [entry.rpartition("=") for entry in _split(value, ";")]
    found: dict[str, Role] = {}
    for group, _, role in pairs:
        if not group.strip() or role.strip() not in set(Role):
            raise ValueError(f"oidc_roles: write GROUP=ROLE with a role of {', '.join(Role)}")
        found[group.strip()] = Role(role.strip())
    return found


def _split(value: str, separator: str) -> list[str]:
    return [part.strip() for part in value.split(separator) if part.strip()]
