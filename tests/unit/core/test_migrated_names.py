from alembic import command
from sqlalchemy import text

from core.database import Database
from core.migrations.schema import _config, migrate
from dicom_node.storage.query.finding import find
from dicom_node.storage.query.level import Level
from dicom_node.storage.query.parsing import parse_key
from dicom_node.storage.query.query import Query

BEFORE_NAMES_WERE_FOLDED = "0012"


def test_names_kept_before_are_found_after_the_upgrade(database: Database) -> None:
    go_back(database)
    with database.transaction() as session:
        session.execute(
            text("INSERT INTO patients (patient_id, issuer, name) VALUES (:id, '', :name)"),
            [
                {"id": "P1", "name": "Müller^Anna"},
                {"id": "P2", "name": "Yamada^Tarou=山田^太郎"},
                {"id": "P3", "name": ""},
            ],
        )

    migrate(database)

    assert [found(database, name) for name in ("MÜLLER*", "山田*", "nobody")] == [1, 1, 0]


def go_back(database: Database) -> None:
    with database.engine.connect() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.downgrade(config, BEFORE_NAMES_WERE_FOLDED)
        connection.commit()


def found(database: Database, name: str) -> int:
    match = parse_key("PatientName", "PN", [name])
    assert match is not None
    return len(find(database, Query(Level.PATIENT, {"PatientName": match})).keys)
