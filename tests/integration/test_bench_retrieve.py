"""`arcuate bench retrieve`, once around with our own server."""

from arcuate.bench.retrieve import table
from arcuate.bench.retrieve.measurement import Measurement


def test_an_object_and_its_frames_are_measured() -> None:
    measurement = Measurement(with_orthanc=False, clients=2, objects=1, frames=3, runs=1)

    figures = list(measurement.figures(lambda _text: None))

    assert [(figure.kind, figure.requests) for figure in figures] == [("object", 2), ("frame", 6)]
    assert all(figure.megabytes_a_second > 0 for figure in figures)
    assert [row["server"] for row in table.rows(figures)] == ["arcuate", "arcuate"]
