from api.dashboard.advice import ADVICE, advice_of
from core.values.reason import Reason, ReasonCode
from tests.builders.prediction import build_fundus_prediction, build_prediction


def test_every_reason_has_advice() -> None:
    assert set(ADVICE) == set(ReasonCode)


def test_advice_is_a_sentence() -> None:
    of_photographs = [advice_of(Reason(code, ""), build_fundus_prediction()) for code in ReasonCode]
    sentences = [*ADVICE.values(), *of_photographs]

    assert [text for text in sentences if not (text[0].isupper() and text[-1] == ".")] == []


def test_advice_for_a_photograph_is_not_to_scan_a_circle() -> None:
    reason = Reason(ReasonCode.SCAN_PATTERN_UNSUPPORTED, "")

    assert "circle" in advice_of(reason, build_prediction())
    assert "circle" not in advice_of(reason, build_fundus_prediction())


def test_advice_that_holds_for_every_scan_is_the_same() -> None:
    reason = Reason(ReasonCode.AGE_MISSING, "")

    assert advice_of(reason, build_fundus_prediction()) == advice_of(reason, build_prediction())
