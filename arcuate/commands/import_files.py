"""`arcuate import`: files, folders and DICOMDIR media into this node's archive, no network."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import track

from arcuate.commands.context import print_json, settings_of
from arcuate.commands.models import AsJson

if TYPE_CHECKING:
    from dicom_node.media.taking import Taken

#: What stands where a calling AE title goes.
_SENDER = "import"
_WORDS = {"refused": "REFUSED", "directory": "left out", "other": "left out"}

#: What became of one file, as `--json` prints it.
Outcome = dict[str, str]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="import")(import_files)


def import_files(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(exists=True, help="Files, folders or DICOMDIR.")],
    as_json: AsJson = False,
) -> None:
    """Take DICOM files into this node as if they had been sent; exit code 1 if any was refused.

    Files of another kind that lie in a folder beside them are named and left out.
    """
    from arcuate.audited import terminal_actor
    from arcuate.node import open_node
    from arcuate.role_logs import configure_role_logs
    from dicom_node.media.taking import take_paths
    from dicom_node.storage.archive import open_archive
    from dicom_node.store_entries import BATCH, StoreEntries

    settings = settings_of(context)
    # What is refused is listed; a log line each would stand between.
    configure_role_logs(settings.model_copy(update={"log_level": "error"}), _SENDER)
    node = open_node(settings)
    archive = open_archive(settings, node.database, node.storage)
    archive.prepare()
    console = Console(stderr=True)
    entries = StoreEntries(node.database, terminal_actor(), _SENDER)
    outcomes: list[Outcome] = []
    try:
        for taken in track(
            take_paths(archive, paths, _SENDER),
            description="Importing",
            console=console,
            disable=not console.is_terminal,
        ):
            outcomes.append(_outcome(taken, paths))
            if taken.is_instance:
                entries.count(taken.study_instance_uid, is_kept=taken.cause is None)
                entries.write(BATCH)
            if not as_json:
                typer.echo("{outcome:8}  {path}  {message}".format(**outcomes[-1]).rstrip())
    finally:
        # What was kept before the disk was full is known, and must not be lost.
        if as_json:
            print_json(outcomes)
        entries.write()
    _conclude(outcomes, as_json)


def _outcome(taken: "Taken", named: Sequence[Path]) -> Outcome:
    from arcuate.dicom_files import is_dicom_file

    word = _WORDS.get(taken.verdict, taken.verdict.value)
    if taken.verdict == "other" and (taken.path in named or is_dicom_file(taken.path)):
        word = "REFUSED"
    return {
        "path": str(taken.path),
        "outcome": word,
        "sop_instance_uid": taken.sop_instance_uid,
        "code": getattr(taken.cause, "code", ""),
        "message": taken.message,
    }


def _conclude(outcomes: Sequence[Outcome], as_json: bool) -> None:
    counts = Counter(outcome["outcome"] for outcome in outcomes)
    found = counts["kept"] + counts["known"] + counts["REFUSED"]
    if not as_json:
        none = "" if found else "There was no DICOM file. "
        typer.echo(
            f"{none}{counts['kept']} kept, {counts['known']} known before, "
            f"{counts['REFUSED']} refused, {counts['left out']} left out.",
            err=True,
        )
    raise typer.Exit(0 if found and not counts["REFUSED"] else 1)
