import json
from dataclasses import replace

from arcuate.bench.ingest import table
from arcuate.bench.ingest.choices import WorkloadName
from arcuate.bench.ingest.comparison import Comparison
from arcuate.bench.ingest.figures import Figures

OURS = Figures(
    instances_per_second=300.0,
    megabytes_per_second=114.4,
    median_ms=3.14,
    p99_ms=12.0,
    processor_seconds=1.234,
    process_peak_mb=56.4,
    all_peaks_mb=112.8,
    is_verified=True,
)
PEER = replace(OURS, instances_per_second=120.0, is_verified=False)
COMPARISON = Comparison(
    WorkloadName.CIRCLES,
    "OCT circle scans",
    400,
    388_664,
    4,
    {"arcuate": [OURS, OURS, OURS], "peer": [PEER, PEER, PEER]},
)


def test_row_of_ours_has_no_ratio_and_that_of_a_peer_has() -> None:
    ours, peer = table.rows(COMPARISON)

    assert list(ours) == list(table.COLUMNS)
    assert list(ours.values()) == [
        *("arcuate", "300.0", "", "114", "3.1", "12.0", "1.23", "56", "113", "yes")
    ]
    assert (peer["receiver"], peer["ours/peer"], peer["verified"]) == ("peer", "2.50", "NO")
    assert not COMPARISON.is_verified


def test_heading_says_what_was_measured_how_often_and_where() -> None:
    assert table.heading(COMPARISON, "SQLite") == (
        "a: 400 × 0.39 MB OCT circle scans; associations 4, medians of 3, SQLite, "
        f"processors {table.processors()}"
    )


def test_values_hold_every_run_and_the_medians() -> None:
    values = json.loads(json.dumps(table.as_values([COMPARISON], "SQLite")))

    assert (values["database"], values["processors"]) == ("SQLite", table.processors())
    (comparison,) = values["comparisons"]
    assert [len(runs) for runs in comparison["runs"].values()] == [3, 3]
    assert comparison["medians"]["peer"]["instances_per_second"] == 120.0
