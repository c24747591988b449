from arcuate.bench.scoring.alone import PredictorShare
from arcuate.bench.scoring.measurement import Runs, ScoringFigures


def test_shares_are_those_of_the_slower_stage_and_of_the_other_contestant() -> None:
    ours = Runs([8.0, 9.0, 30.0], [0.2] * 10, [0.3] * 10)
    theirs = Runs([3.0], [2.0], [2.0])
    shares = [PredictorShare(16, 900.0, 1000.0)]

    figures = ScoringFigures({"arcuate": ours, "plain": theirs}, 10.0, shares, 4.0)

    assert figures.conclusions() == [
        "preparation alone: 10.0 scans/s; the whole does 0.90 of its slower stage",
        "from start to ready: 4.0 s",
        "predictor, batch 16: 900 eyes/s, 0.90 of the bare network",
        "arcuate beside plain: 3.0 times the scans/s, 0.10 of the median latency",
    ]
    assert figures.rows()[0] == {
        "who": "arcuate",
        "scans/s": "9.0",
        "one p50 ms": "200",
        "one p99 ms": "200",
        "half load p50 ms": "300",
        "p99 ms": "300",
    }
