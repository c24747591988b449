from pathlib import Path

import pytest

from core.errors import SettingsInvalid
from core.settings import Settings, load_settings

_URL = "postgresql+psycopg://arcuate@db.example/arcuate"


def test_password_comes_from_its_file(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("p@ss/word\n", "utf-8")

    settings = Settings(database_url=_URL, database_password_file=str(secret))

    assert settings.database == "postgresql+psycopg://arcuate:p%40ss%2Fword@db.example/arcuate"
    assert "p@ss" not in str(settings.model_dump())


def test_two_passwords_and_an_unreadable_file_are_refused(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("other", "utf-8")
    twice = {"database_url": _URL.replace("@", ":secret@"), "database_password_file": str(secret)}
    missing = {"database_url": _URL, "database_password_file": str(tmp_path / "none")}

    for given, cause in ((twice, "leave out one"), (missing, "cannot be read")):
        with pytest.raises(SettingsInvalid, match=cause):
            load_settings(environment={}, overrides=given)
