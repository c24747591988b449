from api.dashboard.advice import ADVICE
from core.values.reason import ReasonCode


def test_every_reason_has_advice() -> None:
    assert set(ADVICE) == set(ReasonCode)


def test_advice_is_a_sentence() -> None:
    assert [text for text in ADVICE.values() if not (text[0].isupper() and text[-1] == ".")] == []
