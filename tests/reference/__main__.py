"""Writes the generated pages of the manual anew."""

from tests.conftest import REPOSITORY
from tests.reference.pages import PAGES

for name, write in PAGES.items():
    (REPOSITORY / "docs" / name).write_text(write(), "utf-8")
