import pytest
from sqlalchemy import Integer, bindparam, insert, select
from sqlalchemy.exc import IntegrityError

from core.clock import utc_now
from core.database import Database
from core.driver_statement import DriverStatement, is_one_of
from core.tables.changes import ChangeKind, ChangeRow
from core.tables.columns import table_of

CHANGES = table_of(ChangeRow)
ADD = DriverStatement(lambda _dialect: insert(CHANGES).returning(CHANGES.c.number))
ADD_SILENTLY = DriverStatement(lambda _dialect: insert(CHANGES))
FIND = DriverStatement(
    lambda dialect: (
        select(CHANGES.c.number)
        .where(is_one_of(CHANGES.c.subject, "subjects", dialect))
        .order_by(CHANGES.c.number)
    )
)
BELOW = DriverStatement(
    lambda _dialect: select(CHANGES.c.subject).where(
        CHANGES.c.number < bindparam("limit", type_=Integer)
    )
)


def change(number: int, subject: str) -> dict[str, object]:
    kind, now = ChangeKind.INSTANCE_RECEIVED, utc_now()
    return {"number": number, "kind": kind, "subject": subject, "happened_at": now}


def test_each_execution_returns_its_row_in_order(database: Database) -> None:
    with database.writing() as connection:
        rows = ADD.run_each(connection, [change(3, "c"), change(1, "a"), change(2, "b")])
        assert ADD.run_each(connection, [change(4, "d")]) == [(4,)]
        assert ADD_SILENTLY.run_each(connection, [change(5, "e"), change(6, "f")]) == []

    assert rows == [(3,), (1,), (2,)]


def test_what_was_written_reads_like_any_other_row(database: Database) -> None:
    written = change(1, "a")
    with database.writing() as connection:
        assert ADD_SILENTLY.run(connection, written) == []

    with database.reading() as session:
        row = session.get_one(ChangeRow, 1)
    assert row.model_dump() == written


def test_texts_of_any_kind_are_found_in_a_list(database: Database) -> None:
    subjects = ["plain", 'two "quotes"', "it's", "a,b", "{braces}", "back\\slash", "名"]
    with database.writing() as connection:
        ADD.run_each(connection, [change(n, text) for n, text in enumerate(subjects, start=1)])

        assert FIND.run(connection, {"subjects": subjects}) == [(n,) for n in range(1, 8)]
        assert FIND.run(connection, {"subjects": ["it's", "not there"]}) == [(3,)]
        assert FIND.run(connection, {"subjects": []}) == []
        assert BELOW.run(connection, {"limit": 2}) == [("plain",)]


@pytest.mark.parametrize("many", [1, 2])
def test_what_the_database_refuses_has_sqlalchemys_name_and_tells_no_value(
    database: Database, many: int
) -> None:
    doubled = [change(7, "Doe^Jane")] * many

    with pytest.raises(IntegrityError) as caught, database.writing() as connection:
        ADD.run(connection, change(7, "first"))
        ADD.run_each(connection, doubled)

    assert "Doe" not in str(caught.value).partition("DETAIL")[0]
    with database.reading() as session:
        assert session.get(ChangeRow, 7) is None
