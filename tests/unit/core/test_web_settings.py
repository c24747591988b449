from pathlib import Path

import pytest

from core.errors import SettingsInvalid
from core.settings import Settings, load_settings


def test_origins_are_a_list() -> None:
    settings = Settings(cors_origins="https://a.example, http://b.example:3000")

    assert settings.allowed_origins == {"https://a.example", "http://b.example:3000"}
    assert Settings().allowed_origins == frozenset()
    assert Settings(cors_origins="*").allowed_origins == {"*"}


def test_public_url_has_no_slash_at_its_end() -> None:
    assert Settings(public_url="https://pacs.example/eye/").public_url == "https://pacs.example/eye"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ARCUATE_CORS_ORIGINS", "viewer.example"),
        ("ARCUATE_CORS_ORIGINS", "https://viewer.example/path"),
        ("ARCUATE_PUBLIC_URL", "pacs.example"),
    ],
)
def test_what_is_no_origin_or_url_is_told(name: str, value: str, tmp_path: Path) -> None:
    config = tmp_path / "arcuate.toml"
    config.write_text("")

    with pytest.raises(SettingsInvalid, match=name.removeprefix("ARCUATE_").lower()):
        load_settings(config, {name: value})
