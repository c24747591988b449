"""No template holds a word that cannot be translated."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import Environment

from tests.conftest import REPOSITORY

_FOLDER = REPOSITORY / "api/dashboard/templates"
#: Read by people, and so in their language.
_SPOKEN = {"alt", "aria-label", "data-label", "placeholder", "title"}
#: The same in every language: our name, units, terms of the standards, what is typed as it stands.
_SAME = {
    *("Arcuate", "AE", "CSV", "DICOM", "FHIR", "ID", "Instance", "SOP", "TLS", "UID"),
    *("MAE", "MD", "OD", "OS", "PSD", "RMSE", "RNFL", "GiB", "dB", "µm", "mon", "fri"),
}
_WORD = re.compile(r"[A-Za-zµ]{2,}")


class _Words(HTMLParser):
    """Collects the words of a page that stand in it as they are."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._code = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._code += tag == "code"
        for name, value in attrs:
            if name in _SPOKEN:
                self._note(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._code -= tag == "code"

    def handle_data(self, data: str) -> None:
        if not self._code:
            self._note(data)

    def _note(self, text: str) -> None:
        self.found += [word for word in _WORD.findall(text) if word not in _SAME]


def _plain_parts(source: str) -> Iterator[str]:
    """Yield what a template holds outside of its blocks, and of those that are translated."""
    is_translated = False
    tokens = [
        (kind, text)
        for _, kind, text in Environment(autoescape=True).lex(source)
        if kind != "whitespace"
    ]
    for (before, _), (kind, text) in zip([("", ""), *tokens], tokens, strict=False):
        if before == "block_begin" and text in {"trans", "endtrans"}:
            is_translated = text == "trans"
        if kind == "data" and not is_translated:
            yield text
        elif kind == "variable_begin":
            # Something stands there: within an attribute, too.
            yield "0"


@pytest.mark.parametrize(
    "path", sorted(_FOLDER.rglob("*.html")), ids=lambda path: str(path.relative_to(_FOLDER))
)
def test_template_holds_no_word_that_is_not_translated(path: Path) -> None:
    words = _Words()
    words.feed("".join(_plain_parts(path.read_text())))

    assert words.found == []
