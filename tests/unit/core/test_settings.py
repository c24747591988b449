from pathlib import Path

import pytest

from core.errors import SettingsInvalid
from core.settings import Settings, load_settings


def load(tmp_path: Path, toml: str = "", **environment: str) -> Settings:
    config = tmp_path / "arcuate.toml"
    config.write_text(toml)
    return load_settings(config, environment)


def test_environment_overrides_the_file_and_the_file_the_default(tmp_path: Path) -> None:
    settings = load(tmp_path, 'ae_title = "FILE"\ndicom_port = 104', ARCUATE_AE_TITLE="ENV")

    assert (settings.ae_title, settings.dicom_port, settings.http_port) == ("ENV", 104, 8080)


@pytest.mark.parametrize(
    ("toml", "environment", "named"),
    [
        ("ae_titel = 'X'", {}, "ae_titel"),
        ("", {"ARCUATE_DICOM_PROT": "104"}, "dicom_prot"),
        ("dicom_port = 70000", {}, "dicom_port"),
        ("ae_title = 'TOO LONG FOR AN AE TITLE'", {}, "ae_title"),
        ("ae_title = ' LEADING'", {}, "ae_title"),
        ("storage_url = 'ftp://bucket'", {}, "storage_url"),
        ("storage_url = 's3://key:secret@bucket'", {}, "AWS_SECRET_ACCESS_KEY"),
        ("storage_endpoint = 'minio:9000'", {}, "storage_endpoint"),
        ("storage_endpoint = 'http://minio:9000'", {}, "https"),
        ("database_url = 'mysql://x'", {}, "database_url"),
        ("device = 'tpu'", {}, "device"),
        ("not toml", {}, "arcuate.toml"),
    ],
)
def test_wrong_setting_is_refused_by_name(
    tmp_path: Path, toml: str, environment: dict[str, str], named: str
) -> None:
    with pytest.raises(SettingsInvalid, match=named):
        load(tmp_path, toml, **environment)


@pytest.mark.parametrize("setting", ["http_host", "dicom_host"])
def test_open_access_is_refused_beyond_loopback(tmp_path: Path, setting: str) -> None:
    with pytest.raises(SettingsInvalid, match="loopback"):
        load(tmp_path, f"auth = 'none'\n{setting} = '0.0.0.0'")


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ("tls_cert = 'a.pem'", "both or neither"),
        ("tls_key = 'a.key'", "both or neither"),
        ("tls_client_ca = 'ca.pem'", "tls_client_ca needs tls_cert"),
        ("dicom_plain = false", "leaves no DICOM port"),
    ],
)
def test_half_of_tls_is_refused(tmp_path: Path, toml: str, told: str) -> None:
    with pytest.raises(SettingsInvalid, match=told):
        load(tmp_path, toml)


def test_names_of_the_test_suite_configure_nothing(tmp_path: Path) -> None:
    assert load(tmp_path, ARCUATE_TEST_DATA="x") == Settings()


def test_missing_settings_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"absent\.toml"):
        load_settings(tmp_path / "absent.toml", {})


@pytest.mark.parametrize("folder", ["data", "data/instances/new", "."])
def test_a_watched_folder_lies_apart_from_our_own(tmp_path: Path, folder: str) -> None:
    with pytest.raises(SettingsInvalid, match="watch_folder must lie apart"):
        load_settings(
            environment={},
            overrides={"home": tmp_path / "data", "watch_folder": str(tmp_path / folder)},
        )


def test_a_watched_folder_may_lie_beside_our_own(tmp_path: Path) -> None:
    names = {"home": tmp_path / "data", "watch_folder": str(tmp_path / "data-share")}

    assert load_settings(environment={}, overrides=names).watch_folder.endswith("data-share")
