"""A comparison as people read it, and as programs do."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from arcuate.bench.ingest.comparison import Comparison
from arcuate.bench.ingest.figures import Figures

COLUMNS: Final = (
    "receiver",
    "instances/s",
    "ours/peer",
    "MB/s",
    "p50 ms",
    "p99 ms",
    "processor s",
    "peak MB a process",
    "peak MB in all",
    "verified",
)


def heading(comparison: Comparison, database: str) -> str:
    """Return what the figures of a comparison belong to."""
    rounds = len(next(iter(comparison.runs.values())))
    return (
        f"{comparison.workload}: {comparison.instances} × {comparison.object_bytes / 1e6:.2f} MB "
        f"{comparison.title}; associations {comparison.associations}, medians of {rounds}, "
        f"{database}, processors {processors()}"
    )


def rows(comparison: Comparison) -> list[Mapping[str, str]]:
    """Return one row a receiver, ours first."""
    medians = comparison.medians
    ours = next(iter(medians.values()))
    return [_row(title, figures, ours) for title, figures in medians.items()]


def as_values(comparisons: Sequence[Comparison], database: str) -> dict[str, Any]:
    """Return where it was measured, every run and the medians, for JSON."""
    made = [
        {
            **asdict(comparison),
            "medians": {title: asdict(median) for title, median in comparison.medians.items()},
        }
        for comparison in comparisons
    ]
    return {"database": database, "processors": processors(), "comparisons": made}


def processors() -> int:
    """Return how many processors sender and receivers share."""
    return len(os.sched_getaffinity(0))


def _row(title: str, figures: Figures, ours: Figures) -> Mapping[str, str]:
    ratio = ours.instances_per_second / figures.instances_per_second
    cells = (
        title,
        f"{figures.instances_per_second:.1f}",
        "" if figures is ours else f"{ratio:.2f}",
        f"{figures.megabytes_per_second:.0f}",
        f"{figures.median_ms:.1f}",
        f"{figures.p99_ms:.1f}",
        f"{figures.processor_seconds:.2f}",
        f"{figures.process_peak_mb:.0f}",
        f"{figures.all_peaks_mb:.0f}",
        "yes" if figures.is_verified else "NO",
    )
    return dict(zip(COLUMNS, cells, strict=True))
