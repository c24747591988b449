"""`arcuate bench`: measurements anyone can run."""

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from arcuate.bench.ingest.choices import DatabaseKind, PeerName, WorkloadName
from arcuate.bench.query.choices import QueryPeer
from arcuate.bench.retrieve.choices import RetrievePeer
from arcuate.commands.bench_inference import inference
from arcuate.commands.bench_pages import pages
from arcuate.commands.bench_pipeline import pipeline
from arcuate.commands.context import print_rows
from arcuate.commands.status_line import StatusLine

if TYPE_CHECKING:
    from arcuate.bench.ingest.measurement import Measurement

app = typer.Typer(help="Measure this installation.", no_args_is_help=True)

_SERVER_URL: Final = "postgresql://postgres@127.0.0.1:5432/postgres"
_ServerUrl = Annotated[
    str, typer.Option(help="A PostgreSQL server on which databases may be made and dropped.")
]
_BucketUrl = Annotated[
    str | None,
    typer.Option(help="s3://BUCKET/PREFIX: measure us with objects there, too (AWS_…)."),
]
_Endpoint = Annotated[str, typer.Option(help="Address of its object store; empty: Amazon's.")]
_MeasuredFolder = Annotated[
    Path | None,
    typer.Option(exists=True, file_okay=False, help="On the disk to measure; else temporary."),
]


app.command()(pages)
app.command()(inference)
app.command()(pipeline)


@app.callback()
def explain() -> None:
    """Measure this installation."""


@app.command()
def ingest(
    workloads: Annotated[
        list[WorkloadName] | None,
        typer.Option(
            "--workload",
            help="a: 400 circle scans of 0.4 MB, b: 40 volumes of 6 MB, c: 6 volumes of 58 MB, "
            "d: 100 JPEG photographs of 1 MB; all by default.",
        ),
    ] = None,
    associations: Annotated[
        list[int] | None, typer.Option(min=1, help="At a time; 1, 4 and 8 by default.")
    ] = None,
    runs: Annotated[int | None, typer.Option(min=1, help="Of each; 5 by default.")] = None,
    peers: Annotated[
        list[PeerName] | None,
        typer.Option("--peer", help="Who is measured beside us; all installed ones by default."),
    ] = None,
    database: Annotated[
        DatabaseKind, typer.Option(help="Where we, and the peers that can, keep the index.")
    ] = DatabaseKind.SQLITE,
    server_url: _ServerUrl = _SERVER_URL,
    bucket: _BucketUrl = None,
    endpoint: _Endpoint = "",
    folder: _MeasuredFolder = None,
    instances: Annotated[
        int | None, typer.Option(min=1, help="In each run, instead of the load's own number.")
    ] = None,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Few instances, once: tries everything, measures little."),
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write every run to this file.")
    ] = None,
) -> None:
    """Store the same instances into our receiver and into others, in turn, and compare."""
    from arcuate.bench.ingest import measurement as usual
    from arcuate.bench.ingest.databases import database_of
    from arcuate.bench.ingest.servers.arcuate_receive import Bucket

    index = database_of(database, server_url)
    place = Bucket(bucket, endpoint) if bucket else None
    chosen = usual.choose_contestants(
        index, peers or (), lambda text: typer.echo(text, err=True), place
    )
    measurement = usual.Measurement(
        workloads=workloads or list(WorkloadName),
        associations=associations or (usual.QUICK_ASSOCIATIONS if quick else usual.ASSOCIATIONS),
        runs=runs or (usual.QUICK_RUNS if quick else usual.RUNS),
        contestants=chosen,
        is_quick=quick,
        instances=instances,
        folder=folder,
    )
    _print_comparisons(measurement, index.name, json_file)


def _print_comparisons(measurement: "Measurement", database: str, json_file: Path | None) -> None:
    """Print and write each comparison as it comes: a whole measurement takes long."""
    from arcuate.bench.ingest import table
    from arcuate.bench.ingest.comparison import BytesDiffer

    # However it is ended: receivers are stopped, databases dropped and folders removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    line, made = StatusLine(), []
    for comparison in measurement.comparisons(line.show):
        line.clear()
        made.append(comparison)
        typer.echo(table.heading(comparison, database))
        print_rows(table.rows(comparison), table.COLUMNS, as_json=False)
        typer.echo()
        if json_file is not None:
            json_file.write_text(json.dumps(table.as_values(made, database), indent=2))
    if not all(comparison.is_verified for comparison in made):
        raise BytesDiffer


@app.command()
def query(
    peers: Annotated[
        list[QueryPeer] | None, typer.Option("--peer", help="Who is asked beside us.")
    ] = None,
    databases: Annotated[
        list[DatabaseKind] | None,
        typer.Option("--database", help="Where our record is; SQLite and PostgreSQL by default."),
    ] = None,
    server_url: _ServerUrl = _SERVER_URL,
    studies: Annotated[
        int, typer.Option(min=1, help="How many, with ten instances each.")
    ] = 100_000,
    questions: Annotated[int, typer.Option(min=1, help="Of each kind.")] = 100,
    folder: _MeasuredFolder = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write every answer's time to this file.")
    ] = None,
) -> None:
    """Ask our node and others about the same studies, in turn, over C-FIND and QIDO-RS."""
    from arcuate.bench.ingest.databases import database_of
    from arcuate.bench.query import table
    from arcuate.bench.query.measurement import Measurement
    from arcuate.bench.query.population import Population

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    population, line = Population(studies), StatusLine()
    measurement = Measurement(
        databases=[database_of(one, server_url) for one in databases or list(DatabaseKind)],
        with_orthanc=bool(peers),
        population=population,
        count=questions,
        folder=folder,
    )
    figures = measurement.figures(line.show)
    line.clear()
    typer.echo(table.heading(population, questions))
    print_rows(table.rows(figures), table.COLUMNS, as_json=False)
    if json_file is not None:
        values = table.as_values(figures, population, questions)
        json_file.write_text(json.dumps(values, indent=2))


@app.command()
def retrieve(
    peers: Annotated[
        list[RetrievePeer] | None, typer.Option("--peer", help="Who is asked beside us, in turn.")
    ] = None,
    clients: Annotated[int, typer.Option(min=1, help="At a time, a process each.")] = 4,
    runs: Annotated[int, typer.Option(min=1, help="Of each; the table shows medians.")] = 3,
    frames: Annotated[int, typer.Option(min=1, help="A client asks for in a run.")] = 100,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write every run to this file.")
    ] = None,
) -> None:
    """Retrieve an object of 58 MB over DICOMweb, whole and frame by frame."""
    from dataclasses import asdict

    from arcuate.bench.retrieve import table
    from arcuate.bench.retrieve.measurement import Measurement
    from arcuate.bench.retrieve.servers import check_orthanc

    if peers:
        check_orthanc()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    line = StatusLine()
    measurement = Measurement(bool(peers), clients=clients, runs=runs, frames=frames)
    figures = list(measurement.figures(line.show))
    line.clear()
    print_rows(table.rows(figures), table.COLUMNS, as_json=False)
    if json_file is not None:
        json_file.write_text(json.dumps([asdict(figure) for figure in figures], indent=2))
