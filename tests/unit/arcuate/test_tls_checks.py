from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from arcuate.checks import run_check
from arcuate.finding import Finding, Health
from core.settings import Settings
from tests.fixtures.certificates import Authority, make_authority


@pytest.fixture
def authority(tmp_path: Path, need: Callable[[str], None]) -> Authority:
    need("openssl")
    return make_authority(tmp_path / "authority")


def finding(authority: Authority, days: int = 90, **values: object) -> Finding:
    server = authority.issue("server", days=days)
    named = {
        "tls_cert": str(server.path),
        "tls_key": str(server.key),
        "tls_client_ca": str(authority.certificate.path),
        "dicom_plain": False,
    }
    return run_check("tls", Settings.model_validate(named | values))


def test_a_certificate_that_lasts_is_good_and_says_how_long(authority: Authority) -> None:
    found = finding(authority)

    until = datetime.now(UTC) + timedelta(days=90)
    assert found == Finding("tls", Health.GOOD, f"certificate valid until {until:%Y-%m-%d}")


def test_a_certificate_in_its_last_30_days_is_to_be_renewed(authority: Authority) -> None:
    found = finding(authority, days=29)

    assert (found.health, found.remedy.split(",")[0]) == (Health.NOTE, "Renew tls_cert")


def test_an_expired_certificate_is_wrong(authority: Authority) -> None:
    found = finding(authority, days=-1)

    assert found.health is Health.WRONG
    assert found.found.endswith("certificate has expired")


@pytest.mark.parametrize(
    ("values", "remedy"),
    [
        ({"tls_client_ca": ""}, "Set ARCUATE_TLS_CLIENT_CA."),
        (
            {"dicom_plain": True},
            "ARCUATE_DICOM_PLAIN=false closes the port that is not encrypted.",
        ),
    ],
)
def test_what_tls_leaves_open_is_noted(
    authority: Authority, values: dict[str, object], remedy: str
) -> None:
    found = finding(authority, **values)

    assert (found.health, found.remedy) == (Health.NOTE, remedy)


def test_a_node_without_a_certificate_says_that_nothing_is_encrypted() -> None:
    assert run_check("tls", Settings()).found == "not used: connections are not encrypted"
