import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from core.settings import Settings
from core.tls import CertificateUnusable, certificate_expiry, read_fingerprint, server_context
from tests.fixtures.certificates import Authority, Certificate, encrypt_key, make_authority


@pytest.fixture
def authority(tmp_path: Path, need: Callable[[str], None]) -> Authority:
    need("openssl")
    return make_authority(tmp_path / "authority")


def settings_of(certificate: Certificate, **values: str) -> Settings:
    named = {"tls_cert": str(certificate.path), "tls_key": str(certificate.key)}
    return Settings.model_validate(named | values)


def test_a_certificate_tells_until_when_it_is_valid(authority: Authority) -> None:
    settings = settings_of(authority.issue("server", days=20))

    left = certificate_expiry(settings) - datetime.now(UTC)

    assert timedelta(days=19) < left <= timedelta(days=20)


def test_a_certificate_with_its_chain_is_usable(authority: Authority) -> None:
    certificate = authority.issue("server")
    with certificate.path.open("ab") as chain:
        chain.write(authority.certificate.path.read_bytes())

    assert server_context(settings_of(certificate), asks_for_certificate=False)


def test_an_expired_certificate_is_told_and_keeps_nothing_from_starting(
    authority: Authority, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = settings_of(authority.issue("server", days=-1))

    assert server_context(settings, asks_for_certificate=False)

    logged = capfd.readouterr()
    assert "tls_certificate_refused" in logged.out + logged.err
    with pytest.raises(CertificateUnusable, match=r"server\.pem.*certificate has expired"):
        certificate_expiry(settings)


def test_a_key_of_another_certificate_is_told(authority: Authority) -> None:
    certificate, other = authority.issue("server"), authority.issue("other")

    with pytest.raises(CertificateUnusable, match=r"other\.key is not the key of .*server\.pem"):
        server_context(
            settings_of(Certificate(certificate.path, other.key)), asks_for_certificate=False
        )


def test_an_encrypted_key_is_told_and_nobody_asked(authority: Authority) -> None:
    certificate = encrypt_key(authority.issue("server"))

    with pytest.raises(CertificateUnusable, match="encrypted is encrypted"):
        server_context(settings_of(certificate), asks_for_certificate=False)


@pytest.mark.parametrize("setting", ["tls_cert", "tls_key", "tls_client_ca"])
@pytest.mark.parametrize(("content", "told"), [(None, "cannot be read"), ("no PEM", "not usable")])
def test_a_missing_or_damaged_file_is_told_by_its_setting(
    authority: Authority, tmp_path: Path, setting: str, content: str | None, told: str
) -> None:
    path = tmp_path / "file"
    if content is not None:
        path.write_text(content)
    settings = settings_of(authority.issue("server"), **{setting: str(path)})

    with pytest.raises(CertificateUnusable, match=f"{setting} .*file .*{told}"):
        server_context(settings, asks_for_certificate=True)


def test_a_fingerprint_is_that_of_the_first_certificate(
    authority: Authority, tmp_path: Path
) -> None:
    device = authority.issue("device")
    encoded = ssl.PEM_cert_to_DER_cert(device.path.read_text())
    chain = b"a comment\n" + device.path.read_bytes() + authority.certificate.path.read_bytes()

    expected = sha256(encoded).hexdigest()
    assert [read_fingerprint(content) for content in (encoded, chain)] == [expected, expected]


@pytest.mark.parametrize(
    "content", [b"", b"text", b"\xff\x00", b"-----BEGIN CERTIFICATE-----\nAAAA\n"]
)
def test_no_certificate_has_no_fingerprint(content: bytes) -> None:
    with pytest.raises(CertificateUnusable, match="no certificate"):
        read_fingerprint(content)
