"""`arcuate retention`: remove what the settings no longer keep, or say what would go."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from arcuate.commands.context import print_json, print_rows, settings_of
from arcuate.commands.models import AsJson

if TYPE_CHECKING:
    from dicom_node.storage.retention.plan import Verdict
    from dicom_node.storage.retention.policy import RetentionPolicy
    from dicom_node.storage.retention.run import Outcome

_COLUMNS: Final = ["study", "last_kept_at", "instances", "mib", "because", "held_by"]
_MIB: Final = 1 << 20
_NO_POLICY: Final = (
    "Everything is kept for ever: ARCUATE_RETENTION_DAYS, ARCUATE_RETENTION_GIB and "
    "ARCUATE_QUARANTINE_DAYS are 0."
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(retention)


def retention(
    context: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would go and what is held.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Remove the files of studies that are too old or too much, as `deliver` does every hour.

    Results and reports stay. Nothing goes of a study of which something is not scored, not reported
    or not answered yet; it is listed with what holds it.
    """
    from arcuate.node import open_node
    from arcuate.role_logs import configure_role_logs
    from core.clock import utc_now
    from dicom_node.storage.archive import open_archive
    from dicom_node.storage.retention.policy import policy_of
    from dicom_node.storage.retention.run import foresee, remove

    settings = settings_of(context)
    # What is removed is logged, here as in `deliver`.
    configure_role_logs(settings, "retention")
    node = open_node(settings)
    policy = policy_of(settings)
    archive = open_archive(settings, node.database, node.storage)
    if dry_run:
        outcome = foresee(archive, policy, utc_now())
    else:
        outcome = remove(archive, policy, utc_now(), beat=lambda: None)
    if as_json:
        print_json(_as_json(outcome, policy))
        return
    _print(outcome, policy)


def _print(outcome: "Outcome", policy: "RetentionPolicy") -> None:
    if not policy.removes_anything:
        typer.echo(_NO_POLICY)
    verdicts = [*outcome.removed, *outcome.held]
    if verdicts:
        print_rows([_row(verdict) for verdict in verdicts], _COLUMNS, as_json=False)
        _explain_holds(outcome)
    typer.echo(_summary(outcome, policy))


def _row(verdict: "Verdict") -> dict[str, Any]:
    study = verdict.study
    return {
        "study": study.study_instance_uid,
        "last_kept_at": study.last_kept_at,
        "instances": study.instance_count,
        "mib": _mib(study.size_bytes),
        "because": verdict.reason,
        "held_by": ", ".join(hold.code for hold in verdict.held_by),
    }


def _explain_holds(outcome: "Outcome") -> None:
    meanings = {hold.code: hold.meaning for verdict in outcome.held for hold in verdict.held_by}
    for code, meaning in meanings.items():
        typer.echo(f"{code}: {meaning}")


def _summary(outcome: "Outcome", policy: "RetentionPolicy") -> str:
    size = sum(verdict.study.size_bytes for verdict in outcome.removed)
    verb = "Would remove" if outcome.files is None else "Removed"
    parts = [
        f"{verb} the files of {len(outcome.removed)} studies ({_mib(size)} MiB) and "
        f"{outcome.quarantine.objects} objects of the quarantine "
        f"({_mib(outcome.quarantine.size_bytes)} MiB); held: {len(outcome.held)} studies.",
        f"The archive {'would keep' if outcome.files is None else 'keeps'} "
        f"{_mib(outcome.kept_bytes)} MiB{_limit(policy)}.",
    ]
    if outcome.files is not None and outcome.files.failed:
        parts.append(
            f"{outcome.files.failed} files could not be removed: see the log, mend the disk; the "
            "next run tries again."
        )
    return "\n".join(parts)


def _limit(policy: "RetentionPolicy") -> str:
    limit = policy.maximum_bytes
    return "" if limit is None else f", the limit is {_mib(limit)}"


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / _MIB:.1f}"


def _as_json(outcome: "Outcome", policy: "RetentionPolicy") -> dict[str, Any]:
    return {
        "dry_run": outcome.files is None,
        "removed": [_study_as_json(verdict) for verdict in outcome.removed],
        "held": [_study_as_json(verdict) for verdict in outcome.held],
        "quarantine": vars(outcome.quarantine),
        "kept_bytes": outcome.kept_bytes,
        "maximum_bytes": policy.maximum_bytes,
        "files_removed": 0 if outcome.files is None else outcome.files.removed,
        "files_failed": 0 if outcome.files is None else outcome.files.failed,
    }


def _study_as_json(verdict: "Verdict") -> dict[str, Any]:
    study = verdict.study
    return {
        "study_instance_uid": study.study_instance_uid,
        "last_kept_at": study.last_kept_at,
        "instances": study.instance_count,
        "size_bytes": study.size_bytes,
        "reason": verdict.reason,
        "held_by": [hold.code for hold in verdict.held_by],
    }
