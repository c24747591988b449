from api.dashboard.languages import ENGLISH, LANGUAGES
from api.dashboard.reason_words import REASON_WORDS, reason_words
from api.dashboard.translation import speak
from core.values.reason import Reason, ReasonCode

_WEAK = Reason(ReasonCode.SIGNAL_TOO_LOW, "The signal is 9 dB; below 15 dB no field is estimated.")


def test_every_reason_has_words() -> None:
    assert set(REASON_WORDS) == set(ReasonCode)


def test_reason_is_told_as_recorded_in_english_and_in_words_elsewhere() -> None:
    assert reason_words(_WEAK) == _WEAK.message

    speak(LANGUAGES["zh_Hant"])
    told = reason_words(_WEAK)
    speak(ENGLISH)

    assert told == "訊號過弱。"
