"""The figures of retrieving as a table: medians of the runs, and how many times Orthanc's."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, Final

from arcuate.bench.retrieve.measurement import Figure

COLUMNS: Final = (
    "what",
    "server",
    "clients",
    "mb_a_second",
    "requests_a_second",
    "median_ms",
    "ratio",
)
_OURS: Final = "arcuate"


def rows(figures: Sequence[Figure]) -> list[Mapping[str, Any]]:
    """Return a row for each server and kind; `ratio` is our throughput to its."""
    kinds = dict.fromkeys((figure.kind, figure.server) for figure in figures)
    return [_row(figures, kind, server) for kind, server in kinds]


def _row(figures: Sequence[Figure], kind: str, server: str) -> Mapping[str, Any]:
    runs = _of(figures, kind, server)
    rate, ours = _rate(runs), _rate(_of(figures, kind, _OURS))
    return {
        "what": kind,
        "server": server,
        "clients": runs[0].clients,
        "mb_a_second": f"{median(run.megabytes_a_second for run in runs):.0f}",
        "requests_a_second": f"{rate:.1f}",
        "median_ms": f"{median(run.median_ms for run in runs):.1f}",
        "ratio": "" if server == _OURS else f"{ours / rate:.1f}",
    }


def _of(figures: Sequence[Figure], kind: str, server: str) -> list[Figure]:
    return [one for one in figures if (one.kind, one.server) == (kind, server)]


def _rate(runs: Sequence[Figure]) -> float:
    return median(run.requests_a_second for run in runs)
