"""The summary of a study as JSON: both eyes, and how every instance ended."""

from collections.abc import Collection

from pydantic import BaseModel, Field

from api.schemas.values import Moment
from core.study_facts import StudyFacts
from core.tables.study_summaries import SettleCause, StudySummaryRow, SummaryState
from core.values.laterality import Laterality
from core.values.prediction import PredictionStatus
from core.values.scan import ScanKind


class EyeResultOut(BaseModel):
    """One standing prediction of an eye, in short."""

    prediction_id: str
    sop_instance_uid: str
    status: PredictionStatus
    mean_deviation_db: float | None
    quality_score: float
    acquired_at: Moment | None
    predicted_at: Moment
    scan_kind: ScanKind | None
    model: str
    reasons: list[str]
    is_withheld: bool = Field(
        default=False, description="Whether a review says that it must not be used."
    )


class EyeOut(BaseModel):
    """What is known of one eye. Numbers are of single results, never averages."""

    laterality: Laterality | None = Field(
        description="Null gathers results that could be given to neither eye."
    )
    status: PredictionStatus | None = Field(
        description="Of the current result; null where nothing was scored."
    )
    current: str | None = Field(
        description="Identifier of the prediction that counts: what no review withholds before "
        "what one does, an estimate before a refusal, OCT before a photograph, then the scan taken "
        "last, then the better one."
    )
    results: list[EyeResultOut] = Field(description="All of them, the one that counts first.")
    mean_deviation_range_db: float | None = Field(
        description="Between the highest and the lowest estimate; null with fewer than two."
    )
    disagree: bool = Field(description="Whether the estimates are more than 2 dB apart.")


class SummaryCounts(BaseModel):
    """How many instances were received, and how each ended; the other numbers add up to it."""

    received: int
    scored: int
    not_assessable: int
    failed: int
    pending: int
    not_model_input: int


class SummaryLinks(BaseModel):
    """Where to go from a summary."""

    self: str
    study: str
    report: str | None = Field(description="Structured report of both eyes; null without one.")
    pdf: str | None = Field(description="Page of both eyes; null without one.")
    png: str | None = Field(description="That page as a picture; null without one.")


class SummaryOut(BaseModel):
    """One version of what is known of a study; of an open one, what is known so far."""

    study_instance_uid: str
    version: int
    state: SummaryState
    cause: SettleCause = Field(
        description="Why it was settled; of an open one, what is waited for."
    )
    opened_at: Moment
    changed_at: Moment = Field(description="When the last of what it tells came.")
    settled_at: Moment | None
    counts: SummaryCounts
    missing: int = Field(
        description="Instances that a procedure step or a notification named and that are not here."
    )
    eyes: list[EyeOut]
    supersedes: int | None = Field(description="The version before.")
    superseded_by: int | None = Field(description="The version after, once that is settled.")
    links: SummaryLinks


def summary_of_row(
    row: StudySummaryRow,
    study_instance_uid: str,
    so_far: StudyFacts | None = None,
    reported: Collection[str] = (),
) -> SummaryOut:
    """Return a summary as JSON.

    Parameters
    ----------
    so_far
        What the record holds now; of an open version, which holds nothing itself.
    reported
        The kinds of reports of both eyes that are kept of it.
    """
    told = row.model_dump() if so_far is None else {**row.model_dump(), **so_far.as_columns()}
    path = f"/v1/studies/{study_instance_uid}"
    is_superseded = row.state == SummaryState.SUPERSEDED
    return SummaryOut(
        study_instance_uid=study_instance_uid,
        version=row.version,
        state=SummaryState(row.state),
        cause=SettleCause(row.cause),
        opened_at=row.opened_at,
        changed_at=row.changed_at,
        settled_at=row.settled_at,
        counts=SummaryCounts.model_validate(told),
        missing=told["missing"],
        eyes=[EyeOut.model_validate(eye) for eye in told["eyes"]],
        supersedes=row.version - 1 or None,
        superseded_by=row.version + 1 if is_superseded else None,
        links=_links(path, row.version, reported),
    )


def _links(path: str, version: int, reported: Collection[str]) -> SummaryLinks:
    of_version = f"version={version}"
    reports = f"{path}/summary/report"
    return SummaryLinks(
        self=f"{path}/summary?{of_version}",
        study=path,
        report=f"{reports}.dcm?{of_version}" if "sr" in reported else None,
        pdf=f"{reports}.pdf?{of_version}" if "pdf" in reported else None,
        png=f"{reports}.png?{of_version}" if "sc" in reported else None,
    )
