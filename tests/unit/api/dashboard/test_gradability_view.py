from typing import Any

from api.dashboard.gradability_view import Gradability, gradability_view
from core.monthly_figures import MonthFigures
from core.values.scan import Device

_MONTHS = ("2026-01", "2026-02")
_FIRST, _SECOND = Device("Maker", "Scanner", "1"), Device("Maker", "Scanner", "2")


def _figures(month: str, device: Device, final: int, refused: int, **changes: Any) -> MonthFigures:
    values: dict[str, Any] = {"model": "retinervenet 1.0.0", "failed": 3, **changes}
    return MonthFigures(
        month=month,
        device=device,
        results=final + refused + 3,
        final=final,
        not_assessable=refused,
        quality_mean=None,
        rnfl_mean_um=None,
        mean_deviation_db=None,
        **values,
    )


def test_models_are_put_together_and_devices_with_most_scans_come_first() -> None:
    figures = [
        _figures("2026-01", _FIRST, 3, 1),
        _figures("2026-01", _SECOND, 4, 1),
        _figures("2026-02", _SECOND, 1, 1),
        _figures("2026-02", _SECOND, 2, 0, model="retinervenet 2.0.0"),
    ]

    second, first = gradability_view(figures, _MONTHS)

    assert (second.device, second.months) == (_SECOND, (Gradability(4, 5), Gradability(3, 4)))
    assert second.cells == (Gradability(7, 9), *second.months)
    assert (first.months[1].share, first.months[1].shade) == (None, None)


def test_what_broke_for_a_reason_of_ours_does_not_count() -> None:
    [one] = gradability_view([_figures("2026-01", _FIRST, 0, 0)], _MONTHS)

    assert one.total.share is None


def test_shades_go_from_bad_to_good() -> None:
    shades = [Gradability(good, 100).shade for good in (10, 60, 80, 90, 100)]

    assert shades == [0, 1, 2, 3, 4]
