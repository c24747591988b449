"""The figures as people read them, and as programs do."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from arcuate.bench.ingest.table import processors
from arcuate.bench.query.measurement import Figures
from arcuate.bench.query.population import Population

COLUMNS: Final = ("asked by", "way", "server", "studies an answer", "p50 ms", "p95 ms", "p95/peer")
_PEER: Final = "Orthanc"


def heading(population: Population, count: int) -> str:
    """Return what the figures belong to."""
    return (
        f"{population.instances} instances, {population.studies} studies, "
        f"{population.patients} patients; {count} questions of each kind, in turn, "
        f"processors {processors()}"
    )


def rows(figures: Sequence[Figures]) -> list[Mapping[str, str]]:
    """Return one row for each server, way and kind."""
    return [
        {
            "asked by": str(one.kind),
            "way": one.way,
            "server": one.server,
            "studies an answer": f"{one.studies / len(one.seconds):.1f}",
            "p50 ms": f"{one.at(0.50):.2f}",
            "p95 ms": f"{one.at(0.95):.2f}",
            "p95/peer": _share(one, figures),
        }
        for one in figures
    ]


def as_values(figures: Sequence[Figures], population: Population, count: int) -> Mapping[str, Any]:
    """Return everything that was measured."""
    return {
        "instances": population.instances,
        "studies": population.studies,
        "questions": count,
        "processors": processors(),
        "figures": [
            {
                "server": one.server,
                "way": one.way,
                "kind": str(one.kind),
                "p50_ms": one.at(0.50),
                "p95_ms": one.at(0.95),
                "seconds": list(one.seconds),
            }
            for one in figures
        ],
    }


def _share(one: Figures, figures: Sequence[Figures]) -> str:
    peers = [
        other
        for other in figures
        if other.server.startswith(_PEER) and (other.way, other.kind) == (one.way, one.kind)
    ]
    if not peers or peers[0] is one:
        return ""
    return f"{one.at(0.95) / peers[0].at(0.95):.2f}"
