"""What an act gathers for its entry, and when that entry counts."""

import pytest

from core.audit.trail import Trail, followed
from core.database import Database
from core.values.audit import Actor, AuditAction
from tests.builders.audit import build_event
from tests.fixtures.audit_trail import audited


def test_entry_of_a_transaction_that_fails_is_written_with_the_next(database: Database) -> None:
    event = build_event(action=AuditAction.CHANGE, patients=(7,))
    trail = Trail(lambda: event, Actor("clinic", "clinician"), is_change=True)

    with followed(trail):
        with pytest.raises(ZeroDivisionError), database.transaction() as session:
            trail.record_change(session)
            raise ZeroDivisionError
        assert (trail.is_recorded, trail.named_patients) == (False, set())
        with database.transaction():
            pass
        assert (trail.is_recorded, trail.named_patients) == (True, {7})
        with database.transaction():
            pass

    assert [row.patients for row in audited(database)] == [[7]]
