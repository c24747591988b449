"""How jobs, their states and why they wait read on a page."""

from typing import Final

from api.dashboard.device_words import duration
from api.dashboard.translation import gettext, to_translate
from core.queue import QueuedJob, WaitReason, role_of
from core.tables.jobs import JobKind, JobStatus
from core.tables.models import ModelState

_KIND_WORDS: Final = {
    JobKind.ANALYSE: to_translate("Analyse a scan"),
    JobKind.RESCORE: to_translate("Score a scan again"),
    JobKind.READ_FIELD: to_translate("Read a measured field"),
    JobKind.REPORT: to_translate("Write the reports of a result"),
    JobKind.REPORT_REVIEW: to_translate("Write the report of a review"),
    JobKind.COMMIT: to_translate("Tell a peer what is kept"),
    JobKind.RETAIN: to_translate("Remove what is kept no longer"),
    JobKind.SETTLE: to_translate("Settle a study"),
    JobKind.DELIVER: to_translate("Send what waits for a destination"),
    JobKind.REPORT_STUDY: to_translate("Write the report of both eyes"),
    JobKind.ECHO: to_translate("Ask a peer whether it answers"),
    JobKind.SCORE_TENSORS: to_translate("Score tensors that were sent"),
}
_STATUS_WORDS: Final = {
    JobStatus.QUEUED: to_translate("Waiting"),
    JobStatus.RUNNING: to_translate("Running"),
    JobStatus.DONE: to_translate("Done"),
    JobStatus.FAILED: to_translate("Stopped"),
}
_WHY_WORDS: Final = {
    WaitReason.ITS_TURN: to_translate("Waits for its turn"),
    WaitReason.NOBODY_WORKS: to_translate(
        "Waits, and no process works on jobs of this kind: is `arcuate %(role)s` running?"
    ),
    WaitReason.NEXT_ATTEMPT: to_translate("Put off; next attempt in %(time)s"),
    WaitReason.BEING_WORKED_ON: to_translate("A worker holds it for another %(time)s"),
    WaitReason.WORKER_LOST: to_translate("Its worker did not come back; the next one takes it"),
    WaitReason.STOPPED: to_translate("Stopped: no attempt is left, or none would help"),
    WaitReason.DONE: to_translate("Done"),
}
_MODEL_STATE_WORDS: Final = {
    ModelState.INSTALLED: to_translate("Installed"),
    ModelState.ACTIVE: to_translate("Active"),
    ModelState.SHADOW: to_translate("Shadow"),
    ModelState.RETIRED: to_translate("Retired"),
}


def kind(value: str) -> str:
    """Return what a job does; the record's own word where it is of a later version."""
    try:
        return gettext(_KIND_WORDS[JobKind(value)])
    except ValueError:
        return value


def status(value: str) -> str:
    """Return where a job stands."""
    return gettext(_STATUS_WORDS[JobStatus(value)])


def why(job: QueuedJob) -> str:
    """Return why a job is not done."""
    time = "" if job.seconds is None else duration(job.seconds)
    return gettext(_WHY_WORDS[job.reason]) % {"role": role_of(job.row.kind), "time": time}


def model_state(value: str) -> str:
    """Return what a model does."""
    return gettext(_MODEL_STATE_WORDS[ModelState(value)])
