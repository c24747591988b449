"""`arcuate jobs`: the ledger, with failures and their causes."""

from typing import Annotated

import typer

from arcuate.commands.context import print_rows, settings_of
from arcuate.commands.models import AsJson
from core.tables.jobs import JobStatus

app = typer.Typer(help="The work that waits, runs or stopped.", no_args_is_help=True)

_COLUMNS = ["id", "kind", "subject", "status", "attempts", "error", "created_at"]


@app.command(name="list")
def list_jobs(
    context: typer.Context,
    status: Annotated[JobStatus | None, typer.Option(help="Only those that stand so.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first."""
    from sqlmodel import col, select

    from arcuate.node import open_node
    from core.tables.jobs import JobRow

    statement = select(JobRow).order_by(col(JobRow.id).desc()).limit(limit)
    if status is not None:
        statement = statement.where(col(JobRow.status) == status)
    with open_node(settings_of(context)).database.reading() as session:
        rows = [job.model_dump() for job in session.exec(statement).all()]
    print_rows(rows, _COLUMNS, as_json, nothing="There are none.")


@app.command()
def retry(context: typer.Context, job_id: Annotated[int, typer.Argument(help="Its id.")]) -> None:
    """Give a failed job fresh attempts."""
    from arcuate.node import open_node
    from core import ledger
    from core.errors import RecordNotFound

    with open_node(settings_of(context)).database.transaction() as session:
        if not ledger.requeue(session, job_id):
            raise RecordNotFound(f"There is no failed job {job_id}")
    typer.echo(f"Job {job_id} waits again.")
