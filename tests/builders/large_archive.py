"""A record of many studies, written by the database itself in seconds.

fill(database, 100_000)       two studies a patient, one scan and one prediction a study

Study n has patient n // 2, accession number `A<n>`, one of four devices and of three models, and a
mean deviation spread over all classes. Bytes, curves and points there are none.
"""

from sqlalchemy import text

from core.database import Database

_NUMBERS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {0})",
    "postgresql": "WITH n(i) AS (SELECT generate_series(0, {0} - 1))",
}
_MOMENT = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%S.000000', 1500000000 + {0} * 600, 'unixepoch')",
    "postgresql": "to_timestamp(1500000000 + {0} * 600)",
}
_DAY = {
    "sqlite": "date(1500000000 + {0} * 600, 'unixepoch')",
    "postgresql": "to_timestamp(1500000000 + {0} * 600)::date",
}
_FAMILY = "CASE i % 5 WHEN 0 THEN 'sato' WHEN 1 THEN 'chen' WHEN 2 THEN 'weber' ELSE 'okoro' END"
_ROWS = (
    "INSERT INTO patients (id, patient_id, issuer, name, name_alphabetic, name_ideographic,"
    " name_phonetic, birth_date, sex)"
    " {patients} SELECT i + 1, 'P' || i, 'Clinic', 'X', {family} || i || '^anna', '', '',"
    " {birth}, 'F' FROM n",
    "INSERT INTO studies (id, patient_key, study_instance_uid, study_id, accession_number,"
    " study_date, study_time, study_description, referring_physician_name,"
    " referring_physician_folded, received_at)"
    " {studies} SELECT i + 1, i / 2 + 1, '2.25.1.' || i, 'S' || i, 'A' || i, {day}, '101500',"
    " '', '', '', {moment} FROM n",
    "INSERT INTO series (id, study_key, series_instance_uid, modality, series_number,"
    " series_description, laterality, manufacturer, manufacturer_model_name, device_serial_number,"
    " series_time, step_start_time, scheduled_procedure_step_ids, requested_procedure_ids)"
    " {studies} SELECT i + 1, i + 1, '2.25.2.' || i, 'OPT', '1', '', 'R', 'Maker', 'Scanner', 'SN',"
    " '', '', '', '' FROM n",
    "INSERT INTO instances (id, series_key, sop_instance_uid, sop_class_uid, transfer_syntax_uid,"
    " instance_number, digest, size_bytes, storage_key, calling_ae_title, origin, outcome,"
    " outcome_message, received_at, content_time, completion_flag, verification_flag, concept_name)"
    " {studies} SELECT i + 1, i + 1, '2.25.3.' || i, '1.2.840.10008.5.1.4.1.1.77.1.5.4',"
    " '1.2.840.10008.1.2.1', '1', 'ab', 1024, '00/none.dcm', 'DEVICE1', 'received', 'predicted',"
    " '', {moment}, '', '', '', '' FROM n",
    "INSERT INTO predictions (id, instance_key, status, laterality, model_name, model_version,"
    " model_digest, manufacturer, manufacturer_model_name, device_serial_number, age_years,"
    " acquired_at, predicted_at, quality_score, mean_sensitivity_db, mean_deviation_db,"
    " pattern_standard_deviation_db, reasons, notes)"
    " {studies} SELECT 'p' || i, i + 1, CASE WHEN i % 1000 = 7 THEN 'not_assessable' ELSE 'final'"
    " END, CASE i % 2 WHEN 0 THEN 'R' ELSE 'L' END, CASE WHEN i % 5000 = 3 THEN 'trial' ELSE"
    " 'retinervenet' END, CASE WHEN i % 4000 = 9 THEN '0.9.0' ELSE '1.0.0' END, 'sha256:ab',"
    " 'Maker', CASE WHEN i % 3000 = 5 THEN 'Rare' ELSE 'Scanner' END, 'SN-' || (i % 400), 60.0,"
    " {moment}, {moment}, 0.9, 27.0, -((i * 37 % 1600) / 100.0) + CASE WHEN i % 20 = 0 THEN -16 "
    " ELSE 3 END, 2.0, '[]', '[]' FROM n",
)


def fill(database: Database, studies: int) -> None:
    """Write so many studies; PostgreSQL looks at what it holds, as it does by itself in time."""
    dialect = database.url.get_backend_name()
    with database.engine.begin() as connection:
        for statement in _ROWS:
            connection.execute(text(_said(statement, dialect, studies)))
    if dialect != "postgresql":
        return
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def _said(statement: str, dialect: str, studies: int) -> str:
    return statement.format(
        patients=_NUMBERS[dialect].format(studies // 2),
        studies=_NUMBERS[dialect].format(studies),
        moment=_MOMENT[dialect].format("i"),
        day=_DAY[dialect].format("i"),
        family=_FAMILY,
        birth=_DAY[dialect].format("-i"),
    )
