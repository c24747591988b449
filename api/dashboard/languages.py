"""The languages pages can be read in: English as written, others by a folder under `locale/`.

A language is a folder named as Babel names locales, such as `zh_Hant`, with catalogues in
`LC_MESSAGES/*.po`: one for each part of the pages, put together here. They are read at start, so
that nothing needs to be compiled.
"""

from dataclasses import dataclass
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALE_FOLDER: Final = Path(__file__).parent / "locale"


@dataclass(frozen=True)
class Language:
    """One language: its name as Babel writes it, for people, for HTML, and its words."""

    code: str
    name: str
    tag: str
    words: NullTranslations


def catalogues_of(code: str) -> dict[str, Catalog]:
    """Return the catalogues of a language by the name of their file, in order."""
    found = {}
    for path in sorted((LOCALE_FOLDER / code / "LC_MESSAGES").glob("*.po")):
        with path.open("rb") as file:
            found[path.stem] = read_po(file, locale=code, abort_invalid=True)
    return found


def _load(code: str) -> Language:
    whole = Catalog(locale=code)
    for catalogue in catalogues_of(code).values():
        for message in catalogue:
            if message.id:
                whole[message.id] = message
    compiled = BytesIO()
    write_mo(compiled, whole)
    compiled.seek(0)
    words = GNUTranslations(compiled)
    # Each catalogue says what its own language is called.
    return Language(code, words.gettext("English"), code.replace("_", "-"), words)


ENGLISH: Final = Language("en", "English", "en", NullTranslations())
#: Every language, the one the pages are written in first.
LANGUAGES: Final = {
    language.code: language
    for language in (
        ENGLISH,
        *(_load(path.name) for path in sorted(LOCALE_FOLDER.iterdir()) if path.is_dir()),
    )
}
_LOCALES: Final = {code: Locale.parse(code) for code in LANGUAGES}


def best_language(accepted: str) -> Language:
    """Return the language that an `Accept-Language` header asks for, English where none fits."""
    for tag in _by_preference(accepted):
        for code, locale in _LOCALES.items():
            if _fits(tag, locale):
                return LANGUAGES[code]
    return ENGLISH


def _by_preference(accepted: str) -> list[str]:
    weighed = []
    for part in accepted.split(","):
        tag, _, weight = part.partition(";")
        weighed.append((_weight(weight), tag.strip()))
    # Sorting keeps the order of equals: the first named goes first.
    wanted = sorted((pair for pair in weighed if pair[0] > 0), key=lambda pair: -pair[0])
    return [tag for _, tag in wanted]


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def _fits(tag: str, locale: Locale) -> bool:
    try:
        # Knows that Taiwan writes Traditional and Singapore Simplified Chinese.
        asked = Locale.parse(tag, sep="-")
    except (ValueError, UnknownLocaleError):
        return False
    same_script = asked.script is None or locale.script is None or asked.script == locale.script
    return asked.language == locale.language and same_script
