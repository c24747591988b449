import pytest

from core.settings import ENVIRONMENT_PREFIX, Settings
from tests.conftest import REPOSITORY


@pytest.mark.parametrize("page", ["docs/settings.md", ".env.example"])
def test_every_setting_is_documented(page: str) -> None:
    text = (REPOSITORY / page).read_text("utf-8")

    missing = {
        name for name in Settings.model_fields if f"{ENVIRONMENT_PREFIX}{name.upper()}" not in text
    }

    assert missing == set()
