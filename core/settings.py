"""The settings of a node: environment over `arcuate.toml` over defaults, read once, then frozen."""

import os
import tomllib
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, ValidationError, model_validator

from core.access_settings import AccessSettings
from core.audit_settings import AuditSettings
from core.database_settings import DatabaseSettings
from core.delivery_settings import DeliverySettings
from core.errors import SettingsInvalid
from core.executor_settings import ExecutorSettings
from core.feed_settings import FeedSettings
from core.listening_settings import ListeningSettings
from core.monitoring_settings import MonitoringSettings
from core.query_settings import QuerySettings
from core.receiving_settings import ReceivingSettings
from core.report_settings import ReportSettings
from core.research_settings import ResearchSettings
from core.results_settings import ResultsSettings
from core.retention_settings import RetentionSettings
from core.scoring_settings import ScoringSettings
from core.storage_settings import StorageSettings
from core.web_settings import WebSettings

ENVIRONMENT_PREFIX: Final = "ARCUATE_"
#: Names the test-suite reads; they configure no node.
TEST_PREFIX: Final = "ARCUATE_TEST_"
DEFAULT_CONFIG: Final = Path("arcuate.toml")
DEFAULT_LEASE_SECONDS: Final = 60.0


class Settings(
    AuditSettings,
    AccessSettings,
    DatabaseSettings,
    DeliverySettings,
    ExecutorSettings,
    FeedSettings,
    ListeningSettings,
    MonitoringSettings,
    QuerySettings,
    ReceivingSettings,
    ReportSettings,
    ResearchSettings,
    ResultsSettings,
    RetentionSettings,
    StorageSettings,
    ScoringSettings,
    WebSettings,
):
    """Every setting of a node, with its default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Annotated[
        Path, Field(description="Folder of database, instances, models, quarantine.")
    ] = Path("arcuate-data")
    database_url: Annotated[
        str,
        Field(description="`sqlite:///PATH` or `postgresql+psycopg://…`; empty: SQLite in home."),
    ] = ""
    allow_unknown_peers: Annotated[
        bool,
        Field(description="Accept associations from AE titles that are not in the list of peers."),
    ] = False
    model: Annotated[
        str,
        Field(
            description="Model that scores: NAME (its active version) or NAME:VERSION (pins it); "
            "the default leaves the choice to `arcuate models activate`."
        ),
    ] = "retinervenet"
    auth: Annotated[
        Literal["keys", "oidc", "none"],
        Field(
            description="`keys`: API keys; `oidc`: the people of an OpenID provider, and keys for "
            "machines; `none` only where both hosts are loopback."
        ),
    ] = "keys"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Field(description="Least severe event logged."),
    ] = "info"
    lease_seconds: Annotated[
        float, Field(gt=0, description="How long a worker may hold a job before another takes it.")
    ] = DEFAULT_LEASE_SECONDS
    maximum_attempts: Annotated[
        int, Field(ge=1, description="Attempts of a job before it stops as failed.")
    ] = 3
    commitment_attempts: Annotated[
        int,
        Field(
            ge=1,
            description="Attempts to tell a peer what is committed; the pause doubles, 12 last "
            "an hour.",
        ),
    ] = 12
    study_quiet_seconds: Annotated[
        float,
        Field(
            ge=0,
            description="How long nothing must come for a study before its summary is settled, "
            "where nothing says sooner that it is complete.",
        ),
    ] = 60.0

    @model_validator(mode="after")
    def _check_authentication(self) -> Self:
        hosts = (self.dicom_host, self.http_host)
        if self.auth == "none" and not all(is_loopback(host) for host in hosts):
            raise ValueError("auth = none needs dicom_host and http_host on a loopback address")
        if self.auth == "oidc":
            needed = ("oidc_issuer", "oidc_client_id", "oidc_audience", "oidc_roles")
            missing = [name for name in needed if not getattr(self, name)]
            if missing:
                raise ValueError(f"auth = oidc needs {', '.join(missing)}")
        return self

    @model_validator(mode="after")
    def _check_urls(self) -> Self:
        if not self.database.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("database_url must begin with sqlite:/// or postgresql+psycopg://")
        return self

    @model_validator(mode="after")
    def _check_audit_syslog(self) -> Self:
        collector = urlsplit(self.audit_syslog)
        # What is sent names patients.
        if collector.scheme in {"tcp", "udp"} and not is_loopback(collector.hostname or ""):
            raise ValueError("audit_syslog must begin with tls:// unless it is on this machine")
        return self

    @model_validator(mode="after")
    def _check_storage_encryption(self) -> Self:
        endpoint = urlsplit(self.storage_endpoint)
        # What is stored names patients.
        if endpoint.scheme == "http" and not is_loopback(endpoint.hostname or ""):
            raise ValueError("storage_endpoint must begin with https:// unless on this machine")
        return self

    @model_validator(mode="after")
    def _check_watch_folder(self) -> Self:
        if not self.watch_folder:
            return self
        watched = Path(self.watch_folder).resolve()
        folder = Path(self.storage_folder.removeprefix("file://")).resolve()
        for own in (self.home.resolve(), folder):
            # It would take the node's own files away.
            if watched.is_relative_to(own) or own.is_relative_to(watched):
                raise ValueError("watch_folder must lie apart from home and storage_url")
        return self

    @property
    def database(self) -> str:
        """The database URL with its default and the password of a file filled in."""
        if not self.database_url:
            return f"sqlite:///{self.home.resolve() / 'arcuate.db'}"
        return self.with_password(self.database_url)

    @property
    def storage(self) -> str:
        """The storage URL with its default filled in."""
        return self.storage_url or self.storage_folder

    @property
    def storage_folder(self) -> str:
        """The folder that objects come into, as `file://…`: where they stay, or before a bucket."""
        own = f"file://{self.home.resolve() / 'instances'}"
        return self.storage_url if self.storage_url and not self.is_bucket else own


def is_loopback(host: str) -> bool:
    """Whether a host name or address reaches this machine only."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def load_settings(
    config: Path | None = None,
    environment: Mapping[str, str] = os.environ,
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """Return the settings of this process.

    Parameters
    ----------
    config
        The settings file; without one, `arcuate.toml` of the working directory where it exists.
    environment
        `ARCUATE_<NAME>` overrides the file.
    overrides
        What the command line says; overrides both.

    Raises
    ------
    SettingsInvalid
        If a name is unknown or a value out of range; the message names it.
    """
    values = {**_read_file(config), **_read_environment(environment), **(overrides or {})}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsInvalid(_explain(error)) from error


def _read_file(config: Path | None) -> dict[str, Any]:
    path = config or DEFAULT_CONFIG
    if config is None and not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsInvalid(f"The settings file {path} cannot be read: {error}") from error


def _read_environment(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix(ENVIRONMENT_PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(ENVIRONMENT_PREFIX) and not name.startswith(TEST_PREFIX)
    }


def _explain(error: ValidationError) -> str:
    lines = [
        _explain_one(".".join(map(str, fault["loc"])), fault["type"], fault["msg"])
        for fault in error.errors(include_url=False, include_input=False)
    ]
    return "Settings are wrong (`arcuate doctor --settings` lists them all): " + "; ".join(lines)


def _explain_one(name: str, fault: str, message: str) -> str:
    if fault == "extra_forbidden":
        return f"there is no setting {name} ({ENVIRONMENT_PREFIX}{name.upper()})"
    return f"{name or 'settings'}: {message}"
