"""Jobs: the work that waits, runs or stopped."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from core.tables.columns import UtcDateTime


class JobKind(StrEnum):
    """What a job does, and with what `subject` names."""

    #: Score the instance whose primary key is the subject.
    ANALYSE = "analyse"
    #: Score the instance whose primary key is the subject again, by the model of its rescoring.
    RESCORE = "rescore"
    #: Read the measured field of the instance whose primary key is the subject.
    READ_FIELD = "read_field"
    #: Build and keep the reports of the prediction that is the subject.
    REPORT = "report"
    #: Build and keep the report of the review that is the subject.
    REPORT_REVIEW = "report_review"
    #: Build the reports of the prediction that is the subject anew, for the patient it is of now.
    REISSUE = "reissue"
    #: Tell a peer which instances of the commitment that is the subject are kept.
    COMMIT = "commit"
    #: Remove what the settings of retention no longer keep; the subject is always the archive.
    RETAIN = "retain"
    #: Settle the study summary whose primary key is the subject.
    SETTLE = "settle"
    #: Send what waits for the destination whose primary key is the subject.
    DELIVER = "deliver"
    #: Build and keep the reports of both eyes; the subject is the key of the study summary.
    REPORT_STUDY = "report_study"
    #: Ask the peer whose AE title is the subject whether it answers.
    ECHO = "echo"
    #: Let a model score the tensors whose primary key is the subject.
    SCORE_TENSORS = "score_tensors"
    #: Score what the deployment job that is the subject was given.
    SCORE_JOB = "score_job"
    #: The same, by a process that scores on a GPU.
    SCORE_JOB_GPU = "score_job_gpu"


class JobStatus(StrEnum):
    """Where a job stands."""

    #: Waits for a worker, perhaps until `available_at`.
    QUEUED = "queued"
    #: A worker holds it until `lease_until`; afterwards anyone may take it.
    RUNNING = "running"
    #: Its result is recorded.
    DONE = "done"
    #: Its attempts are used up, or its error cannot be helped by trying again.
    FAILED = "failed"


class JobRow(SQLModel, table=True):
    """One job. `available_at` and `lease_until` are the database's clock, seconds since 1970.

    `available_at` is 0 of a job that waits for nothing.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_claim", "status", "kind", "priority", "id"),
        Index("ix_jobs_subject", "kind", "subject"),
        Index(
            "ix_jobs_rescoring",
            "rescoring_key",
            "status",
            sqlite_where=text("rescoring_key IS NOT NULL"),
            postgresql_where=text("rescoring_key IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    subject: str
    status: str = JobStatus.QUEUED
    #: Higher is sooner: a scan just taken overtakes re-scoring.
    priority: int = 0
    attempts: int = 0
    available_at: float
    lease_until: float | None = None
    worker: str | None = None
    error: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    #: Of a job that scores again: the order it belongs to.
    rescoring_key: int | None = None
