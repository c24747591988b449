"""`arcuate audit`: who saw or changed what, whether the trail is whole, and taking it out."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from arcuate.commands.context import print_json, print_rows, settings_of
from arcuate.commands.models import AsJson
from arcuate.errors import WrongUse
from core.values.audit import AuditAction, AuditOutcome

app = typer.Typer(help="The audit trail.", no_args_is_help=True)

_COLUMNS: Final = [
    *("number", "at", "actor", "actor_role", "address", "action", "object_kind", "object_id"),
    *("patients", "outcome", "detail"),
]

_Moment = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="In the time of this machine."),
]


@app.command(name="list")
def list_entries(
    context: typer.Context,
    patient: Annotated[
        int | None, typer.Option(help="Key of the patient, as in the address of their page.")
    ] = None,
    actor: Annotated[str | None, typer.Option(help="A key, an AE title, an account.")] = None,
    action: Annotated[AuditAction | None, typer.Option(help="Only these.")] = None,
    outcome: Annotated[AuditOutcome | None, typer.Option(help="Only these.")] = None,
    since: _Moment = None,
    until: _Moment = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List entries, newest first."""
    from arcuate.audit_trail import open_trail
    from core.audit.search import AuditFilter, newest_entries

    wanted = AuditFilter(patient, actor, action, outcome, since=_here(since), until=_here(until))
    trail = open_trail(settings_of(context), "list")
    with trail.database.reading() as session:
        rows = [row.model_dump() for row in newest_entries(session, wanted, limit)]
    print_rows(rows, _COLUMNS, as_json, nothing="There are none.")


@app.command()
def verify(
    context: typer.Context,
    anchor: Annotated[
        str | None,
        typer.Option(
            help="NUMBER:DIGEST of an entry as it was noted elsewhere, in a log or a vault."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Walk the chain; exit code 1 where it is broken, and the first broken entry is named."""
    from arcuate.audit_trail import open_trail, read_anchor
    from core.audit.verification import verify as walk

    noted = read_anchor(anchor) if anchor else None
    trail = open_trail(settings_of(context), "verify")
    verdict = walk(trail.database, trail.key, noted, trail.keyed_from)
    fault = verdict.fault
    if as_json:
        told = {name: getattr(verdict, name) for name in ("entries", "first", "last", "digest")}
        broken = None if fault is None else {"number": fault.number, "message": fault.message}
        print_json({**told, "keyed_from": verdict.keyed_from, "fault": broken})
    elif fault is not None:
        typer.echo(f"Broken at entry {fault.number}: {fault.message}")
    else:
        keyed = f", with a key from {verdict.keyed_from} on" if verdict.keyed_from else ", no key"
        typer.echo(f"Whole: {verdict.entries} entries, {verdict.first} to {verdict.last}{keyed}.")
        typer.echo(f"Note it elsewhere: {verdict.last}:{verdict.digest}")
    if fault is not None:
        raise typer.Exit(1)


@app.command()
def export(
    context: typer.Context,
    out: Annotated[
        Path | None, typer.Option(help="A .jsonl or .csv file; standard output: JSON lines.")
    ] = None,
    since: _Moment = None,
    until: _Moment = None,
) -> None:
    """Write every entry with its digests, oldest first."""
    from arcuate.audit_export import write_csv, write_json_lines
    from arcuate.audit_trail import open_trail
    from core.audit.search import AuditFilter

    if out is not None and out.suffix not in {".jsonl", ".csv"}:
        raise WrongUse("--out must end in .jsonl or .csv")
    wanted = AuditFilter(since=_here(since), until=_here(until))
    trail = open_trail(settings_of(context), "export")
    if out is None:
        write_json_lines(trail.entries(wanted), sys.stdout)
        return
    write = write_csv if out.suffix == ".csv" else write_json_lines
    with out.open("w", encoding="utf-8", newline="") as file:
        count = write(trail.entries(wanted), file)
    typer.echo(f"{count} entries in {out}")


@app.command()
def purge(
    context: typer.Context,
    before: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="Entries of earlier days go.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    even_untold: Annotated[
        bool,
        typer.Option("--even-untold", help="Also what the collector was not yet sent."),
    ] = False,
) -> None:
    """Remove old entries; a marker in the chain says which went, and when, and by whom."""
    from arcuate.audit_trail import open_trail
    from arcuate.audited import terminal_actor
    from core.audit.purging import purge as remove

    moment, settings = before.astimezone(), settings_of(context)
    must_be_told = bool(settings.audit_syslog) and not even_untold
    if not yes:
        question = f"Remove every entry before {before:%Y-%m-%d}? `arcuate audit export` keeps them"
        typer.confirm(question, abort=True)
    trail = open_trail(settings, "purge")
    purged = remove(trail.database, moment, terminal_actor(), trail.key, must_be_told=must_be_told)
    if purged is None:
        typer.echo("There are none.")
        return
    span = f"{purged.first} to {purged.last}"
    typer.echo(f"Removed {purged.entries} entries, {span}; entry {purged.marker} says so.")


def _here(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone()
