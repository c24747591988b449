from pathlib import Path

import pytest

from core.errors import SettingsInvalid
from core.keys import Role
from core.settings import Settings, load_settings

_OIDC = {
    "ARCUATE_AUTH": "oidc",
    "ARCUATE_OIDC_ISSUER": "https://login.example",
    "ARCUATE_OIDC_CLIENT_ID": "arcuate",
    "ARCUATE_OIDC_AUDIENCE": "https://arcuate.example",
    "ARCUATE_OIDC_ROLES": "CN=Eye,OU=Clinic=clinician; admins = administrator ;",
}


def test_groups_are_mapped_to_roles() -> None:
    settings = load_settings(environment=_OIDC)

    assert settings.oidc_role_map == {
        "CN=Eye,OU=Clinic": Role.CLINICIAN,
        "admins": Role.ADMINISTRATOR,
    }


@pytest.mark.parametrize(
    "missing", ["OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_AUDIENCE", "OIDC_ROLES"]
)
def test_provider_is_described_whole(missing: str) -> None:
    environment = {name: value for name, value in _OIDC.items() if not name.endswith(missing)}

    with pytest.raises(SettingsInvalid, match=f"auth = oidc needs {missing.lower()}"):
        load_settings(environment=environment)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("OIDC_ISSUER", "http://login.example", "must begin with https://"),
        ("OIDC_ROLES", "eye=boss", "GROUP=ROLE"),
        ("OIDC_ROLES", "clinician", "GROUP=ROLE"),
        ("TRUSTED_PROXIES", "10.0.0.1, proxy", "'proxy' is no address"),
        ("TRUSTED_PROXIES", "*", "is no address"),
        ("LOGIN_FAILURES", "0", "login_failures"),
    ],
)
def test_wrong_value_is_named(name: str, value: str, message: str) -> None:
    with pytest.raises(SettingsInvalid, match=message.replace("*", r"\*")):
        load_settings(environment={**_OIDC, f"ARCUATE_{name}": value})


def test_provider_on_this_machine_needs_no_tls() -> None:
    assert Settings(oidc_issuer="http://127.0.0.1:9000").oidc_issuer == "http://127.0.0.1:9000"


def test_secret_comes_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("whisper\n")

    assert Settings(oidc_client_secret_file=str(path)).oidc_secret == "whisper"  # noqa: S105
    assert Settings(oidc_client_secret="hum").oidc_secret == "hum"  # noqa: S105, S106
    with pytest.raises(SettingsInvalid, match="cannot be read"):
        _ = Settings(oidc_client_secret_file=str(tmp_path / "none")).oidc_secret
    with pytest.raises(ValueError, match="set one of them"):
        Settings(oidc_client_secret="hum", oidc_client_secret_file=str(path))  # noqa: S106


def test_proxies_are_addresses_and_networks() -> None:
    assert Settings(trusted_proxies="10.0.0.1, 10.1.0.0/16").proxies == ["10.0.0.1", "10.1.0.0/16"]
    assert Settings().proxies == []
