import pytest

from tests.conftest import REPOSITORY
from tests.reference.pages import PAGES


@pytest.mark.parametrize("name", PAGES)
def test_page_says_what_the_code_says(name: str) -> None:
    kept = (REPOSITORY / "docs" / name).read_text("utf-8")

    assert kept == PAGES[name](), f"docs/{name} is stale: `make reference` writes it anew"
