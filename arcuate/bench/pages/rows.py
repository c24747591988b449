"""Results of a whole population, as large as real ones, written without scoring a single scan."""

import itertools
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from arcuate.bench.pages.template import Template
from arcuate.bench.query.population import INSTANCES_A_STUDY, Population, Study
from core.database import Database
from core.values.laterality import Laterality

_BATCH: Final = 500
#: How SQLite holds a moment.
_MOMENT: Final = "%Y-%m-%d %H:%M:%S.%f"
_WORST_DB: Final = 24


def result_id(study: int, eye: Laterality) -> str:
    """Return the id of the result of an eye in study number `study`, from 0."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{study} {eye}"))


def fill_results(database: Database, population: Population, template: Template) -> None:
    """Write a result for each eye of each study, whose rows are there already."""
    names = list(template.row)
    columns, places = ", ".join(names), ", ".join(f":{name}" for name in names)
    statement = f"INSERT INTO predictions ({columns}) VALUES ({places})"  # noqa: S608 - our columns
    rows = _results(population, template)
    with database.writing() as connection:
        while batch := list(itertools.islice(rows, _BATCH)):
            connection.exec_driver_sql(statement, batch)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")


def _results(population: Population, template: Template) -> Iterator[dict[str, Any]]:
    for number in range(population.studies):
        taken = datetime.combine(Study(number).day, time(9, number % 60), UTC)
        for place, eye in enumerate(Laterality):
            yield {
                **template.row,
                "id": result_id(number, eye),
                "instance_key": number * INSTANCES_A_STUDY + 1 + place,
                "laterality": eye.value,
                "acquired_at": taken.strftime(_MOMENT),
                "predicted_at": (taken + timedelta(seconds=5 + place)).strftime(_MOMENT),
                "mean_deviation_db": -float(number % _WORST_DB),
            }
