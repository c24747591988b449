"""Words of the pages in the language of the request under way.

Templates say `{{ _("…") }}`, `{{ ngettext(…) }}` or `{% trans %}` where they hold the text, with a
percent sign written twice, and `{{ text | translated }}` where Python made it. Python says the
functions below.
"""

from contextvars import ContextVar
from typing import Final

from api.dashboard.languages import ENGLISH, Language

_LANGUAGE: ContextVar[Language] = ContextVar("language", default=ENGLISH)


def current_language() -> Language:
    """Return the language of the request under way, English outside of one."""
    return _LANGUAGE.get()


def speak(language: Language) -> None:
    """Use this language for the rest of the request under way."""
    _LANGUAGE.set(language)


def gettext(text: str) -> str:
    """Return a text in the current language, as it is where that has no words for it."""
    # Of an empty text gettext gives the head of the catalogue.
    return _LANGUAGE.get().words.gettext(text) if text else text


def ngettext(one: str, many: str, count: int) -> str:
    """Return the form of a text for so many things."""
    return _LANGUAGE.get().words.ngettext(one, many, count)


def pgettext(context: str, text: str) -> str:
    """Return a text in the current language where one English word has several meanings."""
    return _LANGUAGE.get().words.pgettext(context, text)


def npgettext(context: str, one: str, many: str, count: int) -> str:
    """Return the form of a text for so many things, by its meaning."""
    return _LANGUAGE.get().words.npgettext(context, one, many, count)


def to_translate(text: str) -> str:
    """Return a text as it is: it marks a constant for the catalogues, translated when used."""
    return text


#: Names by which texts to translate are found, beside those gettext always knows.
KEYWORDS: Final = {"to_translate": None}
