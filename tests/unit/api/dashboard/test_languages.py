from itertools import combinations
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir

from api.dashboard import languages
from api.dashboard.languages import LANGUAGES, best_language, catalogues_of
from api.dashboard.translation import KEYWORDS
from api.problem_statuses import STATUSES
from api.problems import FRAMEWORK_REFUSALS
from core.errors import NodeError
from core.values.prediction import ESTIMATE_NOTICE, FUNDUS_NOTICE
from tests.conftest import REPOSITORY

_OTHERS = [code for code in LANGUAGES if code != "en"]
_METHODS = [("templates/**.html", "jinja2"), ("**.py", "python")]
_OPTIONS = {"templates/**.html": {"newstyle_gettext": "true", "trimmed": "true", "silent": "false"}}


def _words_of_the_pages() -> set[str | tuple[str, ...]]:
    found = extract_from_dir(
        REPOSITORY / "api/dashboard",
        method_map=_METHODS,
        options_map=_OPTIONS,
        keywords={**DEFAULT_KEYWORDS, **KEYWORDS},
    )
    return {ESTIMATE_NOTICE, FUNDUS_NOTICE, "English", *(message for _, _, message, _, _ in found)}


@pytest.mark.parametrize(
    ("accepted", "code"),
    [
        ("", "en"),
        ("zh-TW,zh;q=0.9,en-US;q=0.8", "zh_Hant"),
        ("zh-HK", "zh_Hant"),
        ("zh", "zh_Hant"),
        ("zh-Hant", "zh_Hant"),
        ("zh-CN", "en"),
        ("de-DE, zh-TW;q=0.5, en;q=0.7", "en"),
        ("de-DE, zh-TW;q=0.7, en;q=0.5", "zh_Hant"),
        ("zh-TW;q=0, en", "en"),
        ("zh-TW;q=much", "en"),
        ("*", "en"),
        ("x;y=z,,;q=1,\u00e9", "en"),
    ],
)
def test_browser_gets_the_language_it_prefers(accepted: str, code: str) -> None:
    assert best_language(accepted).code == code


def test_languages_are_named_in_themselves() -> None:
    assert [(one.name, one.tag) for one in LANGUAGES.values()] == [
        ("English", "en"),
        ("繁體中文", "zh-Hant"),
    ]


@pytest.mark.parametrize("code", _OTHERS)
def test_every_word_of_the_pages_is_translated(code: str) -> None:
    translated = {
        message.id
        for catalogue in catalogues_of(code).values()
        for message in catalogue
        if message.id and message.string and not message.fuzzy
    }

    assert sorted(map(str, _words_of_the_pages() - translated)) == []


@pytest.mark.parametrize("code", _OTHERS)
def test_every_refusal_is_translated(code: str) -> None:
    words = LANGUAGES[code].words
    # The others say more than their class, and programs alone meet them.
    refusals = {str(kind()) for kind, _ in STATUSES if kind.__init__ is NodeError.__init__}
    refusals |= set(FRAMEWORK_REFUSALS.values())

    assert sorted(text for text in refusals if words.gettext(text) == text) == []


@pytest.mark.parametrize("code", _OTHERS)
def test_translations_put_in_the_same_values(code: str) -> None:
    faults = [
        f"{name}: {message.id}: {error}"
        for name, catalogue in catalogues_of(code).items()
        for message, errors in catalogue.check()
        for error in errors
    ]

    assert faults == []


@pytest.mark.parametrize("code", _OTHERS)
def test_catalogues_agree_on_a_text_they_share(code: str) -> None:
    pairs = combinations(catalogues_of(code).items(), 2)

    assert [fault for one, other in pairs for fault in _disagreements(one, other)] == []


def _disagreements(one: tuple[str, Catalog], other: tuple[str, Catalog]) -> list[str]:
    return [
        f"{one[0]} and {other[0]}: {message.id}"
        for message in one[1]
        if message.id
        and (same := other[1].get(message.id, message.context)) is not None
        and same.string != message.string
    ]


def test_another_language_is_one_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = tmp_path / "de/LC_MESSAGES/general.po"
    catalogue.parent.mkdir(parents=True)
    catalogue.write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
        'msgid "English"\nmsgstr "Deutsch"\n\nmsgid "Dark"\nmsgstr "Dunkel"\n'
    )
    monkeypatch.setattr(languages, "LOCALE_FOLDER", tmp_path)

    german = languages._load("de")

    assert (german.name, german.tag, german.words.gettext("Dark")) == ("Deutsch", "de", "Dunkel")
