"""`arcuate retrieve`: fetch from a PACS what can be scored and is not here yet."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import track

from arcuate.commands.context import print_json, settings_of
from arcuate.commands.models import AsJson

if TYPE_CHECKING:
    from arcuate.node import Node
    from dicom_node.peers import PeerAddress
    from dicom_node.retrieve.fetching import SeriesResult
    from dicom_node.retrieve.plan import SeriesPlan

_Item = TypeVar("_Item")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(retrieve)


def retrieve(
    context: typer.Context,
    source: Annotated[str, typer.Option("--from", help="AE title of a known peer with a port.")],
    study: Annotated[str, typer.Option(help="Study Instance UID.")] = "",
    patient: Annotated[str, typer.Option(help="Patient ID, as it is.")] = "",
    date: Annotated[
        str, typer.Option(help="Study dates: 20240101, 20240101-20240131, 2024-01-01..")
    ] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="Not only what is scored: every class the node takes.")
    ] = False,
    move: Annotated[
        bool, typer.Option("--move", help="By C-MOVE to our own receiver, not by C-GET.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List it and fetch nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Fetch studies from a PACS, without what is kept already; exit code 1 unless all came.

    A running node scores them as they come.
    """
    from arcuate.node import open_node
    from dicom_node.peers import address_of
    from dicom_node.retrieve.date_range import DateRange
    from dicom_node.retrieve.query import StudyQuery

    query = StudyQuery(study, patient, DateRange.parse(date) if date else None)
    node = open_node(settings_of(context))
    with node.database.reading() as session:
        peer = address_of(session, source)
    plans = _plan(node, peer, query, everything)
    if dry_run:
        _list(plans, as_json)
        return
    results: list[SeriesResult] = []
    waiting = [plan for plan in plans if plan.requests]
    try:
        for result in _tracked(_fetch(node, peer, waiting, move), len(waiting)):
            results.append(result)
            if not as_json:
                typer.echo(_line(result))
    finally:
        if as_json:
            print_json([_outcome(result) for result in results])
    _conclude(plans, results, as_json)


def _plan(node: "Node", peer: "PeerAddress", query: Any, everything: bool) -> "list[SeriesPlan]":
    from core.calling_tls import CallingTLS
    from dicom_node.retrieve.catalogue import Wish, list_series
    from dicom_node.retrieve.plan import plan_series
    from dicom_node.retrieve.query import querying

    settings = node.settings
    with querying(peer, settings.ae_title, CallingTLS(settings)) as asking:
        listed = list_series(asking, query, Wish(everything))
        return [plan_series(node.database, series) for series in listed]


def _fetch(
    node: "Node", peer: "PeerAddress", plans: "Sequence[SeriesPlan]", move: bool
) -> "Iterable[SeriesResult]":
    from arcuate.audited import terminal_actor
    from arcuate.role_logs import configure_role_logs
    from core.calling_tls import CallingTLS
    from dicom_node.retrieve.fetching import fetch_all
    from dicom_node.retrieve.get import Getting
    from dicom_node.retrieve.move import Moving
    from dicom_node.storage.archive import open_archive

    settings = node.settings
    # What is refused is listed; a log line each would stand between.
    configure_role_logs(settings.model_copy(update={"log_level": "error"}), "retrieve")
    archive = open_archive(settings, node.database, node.storage)
    archive.prepare()
    tls = CallingTLS(settings)
    moving = Moving(peer, settings.ae_title, node.database, tls)
    getting = Getting(peer, settings.ae_title, archive, tls, terminal_actor())
    return fetch_all(plans, node.database, moving if move else getting, instead=moving)


def _tracked(results: Iterable[_Item], total: int) -> Iterable[_Item]:
    console = Console(stderr=True)
    return track(results, "Retrieving", total, console=console, disable=not console.is_terminal)


def _described(plan: "SeriesPlan") -> dict[str, Any]:
    series = plan.series
    return {
        "study_instance_uid": series.study_instance_uid,
        "series_instance_uid": series.series_instance_uid,
        "modality": series.modality,
        "instances": None if series.instances is None else len(series.instances),
        "kept_before": plan.kept_before,
    }


def _list(plans: "Sequence[SeriesPlan]", as_json: bool) -> None:
    from arcuate.commands.context import print_rows

    rows = [
        {**_described(plan), "to_fetch": len(plan.missing) if plan.series.instances else None}
        for plan in plans
    ]
    columns = ["study_instance_uid", "series_instance_uid", "modality", "kept_before", "to_fetch"]
    print_rows(rows, columns, as_json, nothing="Nothing there is what was asked for.")


def _outcome(result: "SeriesResult") -> dict[str, Any]:
    return {
        **_described(result.plan),
        "fetched": result.fetched,
        "missing": list(result.missing),
        "completed": result.counts.completed,
        "failed": result.counts.failed,
        "warning": result.counts.warning,
        "problems": list(result.problems),
    }


def _line(result: "SeriesResult") -> str:
    word = "fetched" if result.is_complete else "FAILED"
    uid = result.plan.series.series_instance_uid
    wanted = f" of {len(result.plan.missing)}" if result.plan.missing else ""
    return f"{word:8}  {result.fetched}{wanted}  {uid}  {'; '.join(result.problems)}".rstrip()


def _conclude(
    plans: "Sequence[SeriesPlan]", results: "Sequence[SeriesResult]", as_json: bool
) -> None:
    fetched = sum(result.fetched for result in results)
    missing = sum(max(len(one.missing), one.counts.failed) for one in results)
    known = sum(plan.kept_before for plan in plans)
    if not as_json:
        none = "" if plans else "Nothing there is what was asked for. "
        typer.echo(f"{none}{fetched} fetched, {missing} failed, {known} kept before.", err=True)
    raise typer.Exit(0 if plans and all(one.is_complete for one in results) else 1)
