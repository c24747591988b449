"""Selecting the results of one eye of one patient, by way of the patient."""

from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, literal_column
from sqlmodel import col

from core.tables.instances import InstanceRow
from core.tables.predictions import PredictionRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow
from core.values.laterality import Laterality


def of_eye(statement: Any, patient_key: int, laterality: Laterality | str | None) -> Any:
    """Return a statement about predictions for those of an eye; None stands for neither eye."""
    eye = unindexed(col(PredictionRow.laterality))
    return (
        statement.join(InstanceRow, col(InstanceRow.id) == col(PredictionRow.instance_key))
        .join(SeriesRow, col(SeriesRow.id) == col(InstanceRow.series_key))
        .join(StudyRow, col(StudyRow.id) == col(SeriesRow.study_key))
        .where(
            col(StudyRow.patient_key) == patient_key,
            eye.is_(None) if laterality is None else eye == laterality,
        )
    )


def unindexed(text: SQLColumnExpression[Any]) -> ColumnElement[Any]:
    """Return a text in a form that has no index, for a condition that most rows meet.

    By the index either database would walk every right eye, or every final result, there is.
    """
    return text + literal_column("''")
