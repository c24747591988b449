from core.database import Database
from core.study_summaries import kept_of
from tests.builders.feed import arrive, source_of


def test_more_instances_than_a_statement_takes_are_looked_for(database: Database) -> None:
    """Fourteen notices of one study may name as many."""
    uid = source_of(1).sop_instance_uid
    with database.transaction() as session:
        arrive(session, source_of(1), is_model_input=False)

    with database.reading() as session:
        assert kept_of(session, {uid, *(f"1.2.{number}" for number in range(70_000))}) == {uid}
