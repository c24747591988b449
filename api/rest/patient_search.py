"""Searching patients: by identifier, and by name in any script.

A name is looked for first by its beginning, which an index serves in each of its three groups, and
then, where a page has room left, anywhere in it, which reads the names of all patients.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from pydantic import Field
from sqlalchemy import and_, not_, or_
from sqlmodel import Session, col, select

from api.cursors import encode_cursor, integers_cursor
from api.field_selection import Fields
from api.rest.pages import integer_page
from api.schemas.listing import PageQuery
from core.patients import keys_named
from core.tables.columns import key_of, table_of
from core.tables.patients import PatientRow
from core.values.person_name import fold_text
from dicom_node.storage.query.condition import begins

_PATIENTS: Final = table_of(PatientRow)
_LISTING: Final = "patients"
_NAMED: Final = "patients by name"
#: The two passes of a search by name, in order.
_BEGINS, _HOLDS = 0, 1
_GROUPS: Final = (
    _PATIENTS.c.name_alphabetic,
    _PATIENTS.c.name_ideographic,
    _PATIENTS.c.name_phonetic,
)


class PatientQuery(PageQuery):
    """Which patients."""

    patient_id: Annotated[
        str | None, Field(description="Also one the patient had before a merge.")
    ] = None
    issuer: str | None = None
    name: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=200,
            description="Part of the DICOM Person Name in any of its scripts, upper or lower case; "
            "names that begin with it come first.",
        ),
    ] = None
    fields: Fields = None


def page_of_patients(
    session: Session, query: PatientQuery
) -> tuple[Sequence[PatientRow], str | None]:
    """Return one page of the patients that match, and the next page's cursor."""
    statement = select(PatientRow).where(*_conditions(query))
    if query.name is not None:
        return _page_by_name(session, statement, query, query.name)
    return integer_page(session, statement, col(PatientRow.id), query, _LISTING, key_of)


def _conditions(query: PatientQuery) -> list[Any]:
    # What was merged into another record is found as that one.
    conditions: list[Any] = [col(PatientRow.merged_into).is_(None)]
    if query.patient_id is not None:
        conditions.append(col(PatientRow.id).in_(keys_named(query.patient_id, query.issuer)))
    elif query.issuer is not None:
        conditions.append(col(PatientRow.issuer) == query.issuer)
    return conditions


def _page_by_name(
    session: Session, statement: Any, query: PatientQuery, name: str
) -> tuple[Sequence[PatientRow], str | None]:
    first, after = _BEGINS, 0
    if query.cursor is not None:
        first, after = integers_cursor(_NAMED, query.cursor, 2)
    found: list[tuple[int, PatientRow]] = []
    for number in range(first, _HOLDS + 1):
        wanted = statement.where(_passes(session, name)[number], col(PatientRow.id) > after)
        room = query.limit + 1 - len(found)
        rows = session.exec(wanted.order_by(col(PatientRow.id)).limit(room)).all()
        found += [(number, row) for row in rows]
        if len(found) > query.limit:
            break
        after = 0
    page = found[: query.limit]
    if len(found) <= query.limit:
        return [row for _, row in page], None
    number, last = page[-1]
    return [row for _, row in page], encode_cursor(_NAMED, number, key_of(last))


def _passes(session: Session, name: str) -> tuple[Any, Any]:
    dialect = session.get_bind().dialect.name
    text = " ".join(fold_text(name).split())
    starts = or_(*(begins(column, text, dialect) for column in _GROUPS))
    holds = or_(*(column.contains(text, autoescape=True) for column in _GROUPS))
    return starts, and_(holds, not_(starts))
