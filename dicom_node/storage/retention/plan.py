"""Which studies go and which would, were they not held."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlmodel import Session

from core.tables.instances import RemovalReason
from dicom_node.storage.retention.holds import Hold, holds_of
from dicom_node.storage.retention.policy import RetentionPolicy
from dicom_node.storage.retention.studies import StudyFiles, kept_bytes, studies_with_files

#: Studies asked about in one statement.
_BATCH: Final = 500


@dataclass(frozen=True)
class Verdict:
    """A study that is too old or too much; it stays as long as something holds it."""

    study: StudyFiles
    reason: RemovalReason
    held_by: tuple[Hold, ...] = ()


def plan(session: Session, policy: RetentionPolicy, now: datetime) -> list[Verdict]:
    """Return what the policy says of the studies it does not leave alone, oldest first."""
    return list(_judge(session, policy, now))


def _judge(session: Session, policy: RetentionPolicy, now: datetime) -> Iterator[Verdict]:
    if policy.age is None and policy.maximum_bytes is None:
        return
    until, limit = policy.last_moment(now), policy.maximum_bytes
    excess = 0 if limit is None else kept_bytes(session) - limit
    studies = studies_with_files(session, None if excess > 0 else until)
    for first in range(0, len(studies), _BATCH):
        batch = studies[first : first + _BATCH]
        held = holds_of(session, [study.study_key for study in batch])
        for study in batch:
            is_old = until is not None and study.last_kept_at < until
            if not is_old and excess <= 0:
                return
            reason = RemovalReason.AGE if is_old else RemovalReason.SIZE
            holds = tuple(held.get(study.study_key, ()))
            if not holds:
                excess -= study.size_bytes
            yield Verdict(study, reason, holds)
