import pytest

from core.perimetry.severity import BOUNDS_DB, Severity, severity_of


@pytest.mark.parametrize(
    ("mean_deviation_db", "severity"),
    [
        (2.0, Severity.EARLY),
        (-6.0, Severity.EARLY),
        (-6.01, Severity.MODERATE),
        (-12.0, Severity.MODERATE),
        (-12.01, Severity.SEVERE),
        (-31.0, Severity.SEVERE),
    ],
)
def test_limits_are_those_of_hodapp_parrish_and_anderson(
    mean_deviation_db: float, severity: Severity
) -> None:
    assert severity_of(mean_deviation_db) is severity


def test_bounds_find_what_has_the_class() -> None:
    for hundredths in range(-3500, 500):
        index = hundredths / 100
        within = [
            severity
            for severity, (at_least, below) in BOUNDS_DB.items()
            if (at_least is None or index >= at_least) and (below is None or index < below)
        ]
        assert within == [severity_of(index)]
