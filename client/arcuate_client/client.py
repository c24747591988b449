"""A node as an object."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypedDict, Unpack, cast
from urllib.parse import quote

from arcuate_client.connection import Connection
from arcuate_client.event_stream import EventStream
from arcuate_client.types import (
    Change,
    Decision,
    Form,
    IdentityChange,
    Patient,
    PatientDetail,
    PatientFilters,
    Prediction,
    PredictionFilters,
    Review,
    Study,
    StudyFilters,
)

_PAGE_LENGTH: Final = 200
_TABLES: Final = (".csv", ".parquet")


class _Page(TypedDict):
    items: list[Any]
    next: str | None


class Arcuate:
    """A node; close it, or use it in a `with` statement.

    Every method raises `Refused` (`NotFound` where nothing is kept under that name) when the node
    refuses, and `Unreachable` when it does not answer.

    Parameters
    ----------
    url
        As `http://127.0.0.1:8080`.
    key
        An API key of `arcuate keys create`; None where the node asks for none.
    timeout_seconds
        Longest wait for an answer to begin or to go on; events have a heartbeat of 15 s.
    verify
        As httpx takes it: a context of TLS for a node with a certificate of its own.
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        timeout_seconds: float = 60.0,
        verify: Any = True,
    ) -> None:
        self._connection = Connection(url, key, timeout_seconds, verify)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to the node."""
        self._connection.close()

    def predictions(self, **filters: Unpack[PredictionFilters]) -> Iterator[Prediction]:
        """Return what was estimated, newest first; asks for the next page when you get there."""
        return self._items("/v1/predictions", filters)

    def patients(self, **filters: Unpack[PatientFilters]) -> Iterator[Patient]:
        """Return patients; by name, those that begin with it first."""
        return self._items("/v1/patients", filters)

    def studies(self, **filters: Unpack[StudyFilters]) -> Iterator[Study]:
        """Return studies, the one that arrived last first."""
        return self._items("/v1/studies", filters)

    def prediction(self, prediction_id: str) -> Prediction:
        """Return one prediction."""
        found: Prediction = self._connection.get_json(_prediction_path(prediction_id))
        return found

    def patient(self, patient_id: str, issuer: str | None = None) -> PatientDetail:
        """Return one patient; `issuer` says whose ID it is where two hospitals share one."""
        found: PatientDetail = self._connection.get_json(_patient_path(patient_id), _issuer(issuer))
        return found

    def study(self, study_uid: str) -> Study:
        """Return one study."""
        found: Study = self._connection.get_json(f"/v1/studies/{quote(study_uid, safe='')}")
        return found

    def history(self, patient_id: str, issuer: str | None = None) -> Iterator[IdentityChange]:
        """Return what was corrected about who a patient is, the newest change first."""
        return self._items(f"{_patient_path(patient_id)}/history", _issuer(issuer))

    def report(self, prediction_id: str, form: Form = "dcm") -> bytes:
        """Return a result as DICOM structured report, page, picture or FHIR bundle."""
        return self._connection.get_bytes(f"{_prediction_path(prediction_id)}/report.{form}")

    def save_report(self, prediction_id: str, form: Form, path: str | Path) -> Path:
        """Write a result in one of its forms to a file, and return its path."""
        target = Path(path)
        target.write_bytes(self.report(prediction_id, form))
        return target

    def save_table(self, path: str | Path, **filters: Unpack[PredictionFilters]) -> Path:
        """Write all that match as a table, one row an eye, and return its path.

        Raises
        ------
        ValueError
            If the file ends neither in `.csv` nor in `.parquet`.
        """
        target = Path(path)
        if target.suffix not in _TABLES:
            raise ValueError(f"A table ends in {' or '.join(_TABLES)}")
        address = f"/v1/predictions{target.suffix}"
        unfinished = target.with_name(f"{target.name}.unfinished")
        # A table that broke off must not look like a whole one.
        with self._connection.stream(address, dict(filters)) as answer, unfinished.open("wb") as to:
            for piece in answer.iter_bytes():
                to.write(piece)
        return unfinished.replace(target)

    def events(self, after: int | None = None) -> EventStream:
        """Return what happens, as it happens; goes on where it was when the connection breaks.

        Parameters
        ----------
        after
            Number of the last change that is known, 0 for all; None: from now on.
        """
        return EventStream(self._connection, after)

    def changes(self, after: int = 0) -> Iterator[Change]:
        """Return what happened since a number, and end there."""
        while True:
            parameters = {"after": after, "limit": _PAGE_LENGTH}
            page: _Page = self._connection.get_json("/v1/changes", parameters)
            yield from page["items"]
            if page["next"] is None:
                return
            after = int(page["next"])

    def review(
        self,
        prediction_id: str,
        decision: Decision,
        comment: str = "",
        amended: Mapping[str, Any] | None = None,
    ) -> Review:
        """Accept, reject (with a comment) or amend a result under the name of the key."""
        content: dict[str, Any] = {"decision": decision, "comment": comment}
        if amended is not None:
            content["amended"] = dict(amended)
        path = f"{_prediction_path(prediction_id)}/review"
        kept: Review = self._connection.post_json(path, content)
        return kept

    def reviews(self, prediction_id: str) -> list[Review]:
        """Return every decision about a result, the first one first."""
        found = self._connection.get_json(f"{_prediction_path(prediction_id)}/reviews")
        return cast("list[Review]", found["items"])

    def _items(self, path: str, filters: Mapping[str, object]) -> Iterator[Any]:
        cursor: str | None = None
        while True:
            page_of = {"limit": _PAGE_LENGTH} | ({} if cursor is None else {"cursor": cursor})
            page: _Page = self._connection.get_json(path, {**filters, **page_of})
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return


def _prediction_path(prediction_id: str) -> str:
    return f"/v1/predictions/{quote(prediction_id, safe='')}"


def _patient_path(patient_id: str) -> str:
    return f"/v1/patients/{quote(patient_id, safe='')}"


def _issuer(issuer: str | None) -> dict[str, str]:
    return {} if issuer is None else {"issuer": issuer}
