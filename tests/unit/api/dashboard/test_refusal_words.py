from collections.abc import Iterator

import pytest

from api.dashboard.languages import ENGLISH, LANGUAGES
from api.dashboard.refusal_words import refusal_words
from api.dashboard.translation import speak
from api.errors import AddressPaused, AskedTooOften, LoginRefused, RoleMissing
from core.errors import NodeError
from core.keys import Role


@pytest.fixture
def _in_chinese() -> Iterator[None]:
    speak(LANGUAGES["zh_Hant"])
    yield
    speak(ENGLISH)


def test_missing_role_is_named() -> None:
    told = refusal_words(RoleMissing([Role.CLINICIAN, Role.ADMINISTRATOR]))

    assert told == (
        "This needs the role clinician / administrator. Your administrator can give it to you."
    )


@pytest.mark.usefixtures("_in_chinese")
def test_refusal_is_told_in_the_readers_language() -> None:
    assert refusal_words(LoginRefused()) != str(LoginRefused())
    assert "clinician" in refusal_words(RoleMissing([Role.CLINICIAN]))


@pytest.mark.usefixtures("_in_chinese")
@pytest.mark.parametrize("error", [AskedTooOften(2.2), AddressPaused(2.2)])
def test_pause_is_told_in_the_readers_language_with_its_length(error: AskedTooOften) -> None:
    assert " in 3 s" in str(error)
    assert "3 秒" in refusal_words(error)


@pytest.mark.usefixtures("_in_chinese")
def test_refusal_that_nobody_translated_is_told_as_it_is() -> None:
    assert refusal_words(NodeError("100 % unforeseen")) == "100 % unforeseen"
