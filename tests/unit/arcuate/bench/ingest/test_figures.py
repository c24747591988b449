from dataclasses import replace
from pathlib import Path

import pytest

from arcuate.bench.ingest.figures import Figures, percentile
from arcuate.bench.ingest.load import Load
from arcuate.bench.ingest.send_plan import Timed
from arcuate.bench.ingest.usage import Usage
from arcuate.bench.ingest.workloads import WORKLOADS


@pytest.mark.parametrize(
    ("share", "value"), [(0.0, 1.0), (0.5, 50.0), (0.99, 99.0), (0.991, 100.0), (1.0, 100.0)]
)
def test_percentile_is_the_nearest_rank(share: float, value: float) -> None:
    assert percentile([float(number) for number in range(100, 0, -1)], share) == value


def test_run_is_measured_from_the_first_start_to_the_last_end(tmp_path: Path) -> None:
    load = Load.prepare(WORKLOADS[0], 3, tmp_path)
    times = [Timed(10.0, 12.0, (0.5, 1.5)), Timed(11.0, 14.0, (3.0,))]
    usage = Usage(0.25, {1: 20_000_000, 2: 30_000_000})

    figures = Figures.of_run(load, times, usage, is_verified=True)

    assert figures == Figures(
        instances_per_second=0.75,
        megabytes_per_second=3 * load.object_bytes / 1e6 / 4.0,
        median_ms=1500.0,
        p99_ms=3000.0,
        processor_seconds=0.25,
        process_peak_mb=30.0,
        all_peaks_mb=50.0,
        is_verified=True,
    )


def test_median_of_runs_is_verified_only_if_all_are() -> None:
    run = Figures(30.0, 10.0, 5.0, 9.0, 1.0, 40.0, 50.0, True)
    runs = [run, replace(run, instances_per_second=10.0, is_verified=False), run]

    assert Figures.median_of(runs) == replace(run, is_verified=False)
    assert Figures.median_of([run, run]) == run
