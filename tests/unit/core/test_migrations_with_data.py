"""What is kept survives the migrations of this room, in both directions."""

from datetime import timedelta

import numpy as np
import pytest
from alembic import command
from sqlalchemy import text
from sqlmodel import select

from api.sessions import Holder, SessionLife, open_session
from core.clock import utc_now
from core.database import Database
from core.keys import Role, create_key, key_named, list_keys
from core.ledger import enqueue
from core.migrations.schema import _config, migrate
from core.predictions import load_prediction
from core.tables.instances import InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.logins import BrowserSessionRow
from core.tables.predictions import PredictionRow
from core.tables.reports import ReportRow
from core.values.identity import InstanceIdentity, PatientIdentity
from tests.builders.archive import keep_instance, keep_prediction
from tests.builders.prediction import (
    build_fundus_prediction,
    build_prediction,
    build_thickness_um,
)

_LIFE = SessionLife()
_KEYS = {
    "viewer": (Role.VIEWER,),
    "both": (Role.RESEARCHER, Role.CLINICIAN),
    "science": (Role.RESEARCHER,),
    "ended": (Role.OPERATOR,),
}
_OPV = "1.2.840.10008.5.1.4.1.1.80.1"


def _downgrade(database: Database, revision: str) -> None:
    with database.engine.connect() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
        connection.commit()


def test_measured_fields_that_were_here_before_are_read(database: Database) -> None:
    with database.transaction() as session:
        for number in (1, 2, 3):
            source = InstanceIdentity("1.2", "1.3", f"1.4.{number}")
            row = keep_instance(session, PatientIdentity("P1"), source)
            row.sop_class_uid = _OPV if number > 1 else row.sop_class_uid
        removed = session.get_one(InstanceRow, 3)
        removed.bytes_removed_at, removed.removal_reason = removed.received_at, "age"
    _downgrade(database, "0010")

    migrate(database)

    with database.reading() as session:
        jobs = session.exec(select(JobRow)).all()
    assert [(job.kind, job.subject, job.status) for job in jobs] == [
        (JobKind.READ_FIELD, "2", JobStatus.QUEUED)
    ]


def test_keys_and_logins_keep_their_roles(database: Database) -> None:
    end = utc_now() + timedelta(hours=1)
    with database.transaction() as session:
        for name, roles in _KEYS.items():
            create_key(session, name, *roles)
        ended = key_named(session, "ended")
        ended.expires_at = end
        open_session(session, Holder(frozenset({Role.OPERATOR}), ended.id), _LIFE, utc_now())
        of_provider = Holder(frozenset({Role.CLINICIAN}), name="Ann", subject="4711")
        open_session(session, of_provider, _LIFE, utc_now())
    _downgrade(database, "0017")
    with database.engine.connect() as connection:
        before = connection.execute(text("SELECT name, role, revoked_at FROM keys ORDER BY id"))
        kept = [(name, role, revoked_at is None) for name, role, revoked_at in before]
        sessions = connection.execute(text("SELECT role FROM browser_sessions")).all()

    migrate(database)

    # What an earlier version cannot refuse by itself is refused there for good.
    assert kept == [
        ("viewer", "viewer", True),
        ("both", "clinician", True),
        ("science", "viewer", False),
        ("ended", "operator", False),
    ]
    assert [tuple(row) for row in sessions] == [("operator",)]
    with database.reading() as session:
        assert [row.roles for row in list_keys(session)] == [
            *(["viewer"], ["clinician"], ["viewer"], ["operator"])
        ]
        browser = session.exec(select(BrowserSessionRow)).one()
    assert browser.roles == ["operator"]
    assert browser.expires_at - browser.started_at == _LIFE.whole
    assert browser.seen_at == browser.started_at


def test_results_of_before_have_no_picture_of_the_fundus(database: Database) -> None:
    with database.transaction() as session:
        instance = keep_prediction(session, build_prediction(prediction_id="p1"))
        assert instance.id is not None
        session.add(ReportRow(prediction_id="p1", kind="sr", instance_key=instance.id))
        row = session.get_one(PredictionRow, "p1")
        row.fundus_key, row.circle_course = "previews/ab/f.jpg", {"first_degree": 0.0}
    _downgrade(database, "0025")

    migrate(database)

    with database.reading() as session:
        row = session.get_one(PredictionRow, "p1")
        assert (row.fundus_key, row.fundus, row.circle_course) == (None, None, None)
        assert load_prediction(session, "p1").fundus is None
        assert len(session.exec(select(ReportRow)).all()) == 1


def test_reports_keep_their_instances(database: Database) -> None:
    with database.transaction() as session:
        instance = keep_prediction(session, build_prediction(prediction_id="p1"))
        assert instance.id is not None
        session.add(ReportRow(prediction_id="p1", kind="sr", instance_key=instance.id))
    _downgrade(database, "0010")
    with database.engine.connect() as connection:
        before = connection.execute(text("SELECT * FROM reports")).all()

    migrate(database)

    assert [tuple(row) for row in before] == [("p1", "sr", 1)]
    with database.reading() as session:
        (row,) = session.exec(select(ReportRow)).all()
    assert (row.prediction_id, row.kind, row.version, row.instance_key) == ("p1", "sr", 0, 1)


def test_means_of_profiles_that_were_here_before_are_filled_in(database: Database) -> None:
    with database.transaction() as session:
        keep_prediction(session, build_prediction(prediction_id="p1"))
        fundus = build_fundus_prediction(
            prediction_id="p2", source=InstanceIdentity("1.2", "1.3", "1.4.2")
        )
        keep_prediction(session, fundus)
        enqueue(session, JobKind.ECHO, "PACS")
    mean = float(np.mean(build_thickness_um()))
    _downgrade(database, "0017")
    with database.engine.connect() as connection:
        assert connection.execute(text("SELECT kind FROM jobs")).all() == []

    migrate(database)

    with database.reading() as session:
        means = {row.id: row.rnfl_mean_um for row in session.exec(select(PredictionRow)).all()}
    assert means == {"p1": pytest.approx(mean, abs=1e-3), "p2": None}
