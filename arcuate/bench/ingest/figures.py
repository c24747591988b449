"""The figures of a run, and what is concluded from several."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import ceil
from typing import Self

from arcuate.bench.ingest.load import Load
from arcuate.bench.ingest.send_plan import Timed
from arcuate.bench.ingest.usage import Usage


@dataclass(frozen=True)
class Figures:
    """One run, or the medians of several.

    Attributes
    ----------
    megabytes_per_second
        10^6 bytes of data sets.
    median_ms, p99_ms
        Round trip of a C-STORE: from its first byte sent to its response.
    processor_seconds
        User and system time of the receiver's processes.
    process_peak_mb, all_peaks_mb
        Highest VmHWM of one process, and the sum of all, 10^6 bytes.
    is_verified
        Whether exactly what was sent is kept, byte for byte.
    """

    instances_per_second: float
    megabytes_per_second: float
    median_ms: float
    p99_ms: float
    processor_seconds: float
    process_peak_mb: float
    all_peaks_mb: float
    is_verified: bool

    @classmethod
    def of_run(cls, load: Load, times: Sequence[Timed], usage: Usage, is_verified: bool) -> Self:
        """Return the figures of one run."""
        seconds = max(time.ended for time in times) - min(time.started for time in times)
        spent_ms = [1000 * one for time in times for one in time.round_trips_seconds]
        return cls(
            instances_per_second=len(spent_ms) / seconds,
            megabytes_per_second=load.megabytes / seconds,
            median_ms=percentile(spent_ms, 0.50),
            p99_ms=percentile(spent_ms, 0.99),
            processor_seconds=usage.processor_seconds,
            process_peak_mb=usage.largest_process_bytes / 1e6,
            all_peaks_mb=usage.all_processes_bytes / 1e6,
            is_verified=is_verified,
        )

    @classmethod
    def median_of(cls, runs: Sequence["Figures"]) -> Self:
        """Return the median of each figure; verified if every run was."""
        names = [field.name for field in fields(cls) if field.name != "is_verified"]
        medians = {name: statistics.median(getattr(run, name) for run in runs) for name in names}
        return cls(**medians, is_verified=all(run.is_verified for run in runs))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that this share of all does not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(ceil(share * len(ordered)), 1) - 1]
