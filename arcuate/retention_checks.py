"""Check of what is removed: whether retention can do what its settings ask."""

from typing import Final

from arcuate.finding import Finding, Health
from arcuate.node import database_exists, open_node
from core.clock import utc_now
from core.settings import Settings
from dicom_node.storage.archive import open_archive
from dicom_node.storage.retention.policy import RetentionPolicy, policy_of
from dicom_node.storage.retention.run import Outcome, foresee

_GIB: Final = 1 << 30
_REMEDY: Final = "`arcuate retention --dry-run` says what holds them."


def check_retention(settings: Settings) -> Finding:
    """Look for studies that should go and are held."""
    policy = policy_of(settings)
    if not policy.removes_anything:
        return Finding("retention", Health.GOOD, "everything is kept for ever")
    if not database_exists(settings):
        return Finding("retention", Health.NOTE, "no database yet", "`arcuate up` makes it.")
    node = open_node(settings)
    try:
        archive = open_archive(settings, node.database, node.storage)
        return _judge(foresee(archive, policy, utc_now()), policy)
    finally:
        node.database.close()


def _judge(outcome: Outcome, policy: RetentionPolicy) -> Finding:
    held, limit = len(outcome.held), policy.maximum_bytes
    found = f"{len(outcome.removed)} studies go next, {held} should and are held"
    if limit is not None and outcome.kept_bytes > limit:
        found = f"{found}; {outcome.kept_bytes / _GIB:.1f} GiB stay, above retention_gib"
        return Finding("retention", Health.WRONG, found, _REMEDY)
    if held:
        return Finding("retention", Health.NOTE, found, _REMEDY)
    return Finding("retention", Health.GOOD, found)
