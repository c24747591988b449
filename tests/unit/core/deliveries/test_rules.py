from typing import Any

import pytest

from core.database import Database
from core.deliveries.destinations import add_destination
from core.deliveries.rules import (
    ResultFacts,
    RuleInvalid,
    add_rule,
    facts_of,
    lets_go,
    list_rules,
    remove_rule,
)
from core.errors import RecordNotFound
from core.tables.columns import key_of
from core.tables.destinations import DeliveryRuleRow
from core.values.laterality import Laterality
from tests.builders.prediction import build_prediction

RIGHT = ResultFacts("final", "retinervenet", "1.0.0", "R")
LEFT = ResultFacts("not_assessable", "fundus_field", "2.0.0", "L")
NO_EYE = ResultFacts("not_assessable", "retinervenet", "1.0.0", None)


def rule(**asked: Any) -> DeliveryRuleRow:
    empty: dict[str, Any] = {"statuses": [], "model": "", "laterality": "", "report_kinds": []}
    return DeliveryRuleRow(destination_id=1, **{**empty, **asked})


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, [True, True, True]),
        ({"statuses": ["final"]}, [True, False, False]),
        ({"statuses": ["final", "not_assessable"]}, [True, True, True]),
        ({"model": "retinervenet"}, [True, False, True]),
        ({"model": "retinervenet:1.0.0"}, [True, False, True]),
        ({"model": "retinervenet:1.0"}, [False, False, False]),
        ({"laterality": "L"}, [False, True, False]),
        ({"report_kinds": ["sc"]}, [False, False, False]),
        ({"report_kinds": ["sr", "pdf"]}, [True, True, True]),
        ({"laterality": "R", "statuses": ["not_assessable"]}, [False, False, False]),
    ],
)
def test_rule_lets_go_what_is_all_it_asks(asked: dict[str, Any], expected: list[bool]) -> None:
    assert [lets_go(rule(**asked), "sr", [r]) for r in (RIGHT, LEFT, NO_EYE)] == expected


def test_report_of_several_goes_where_one_of_them_goes() -> None:
    assert lets_go(rule(laterality="L"), "sr", [RIGHT, LEFT])
    # Of one result all must be true: a right eye that is final is no left one.
    assert not lets_go(rule(laterality="L", statuses=["final"]), "sr", [RIGHT, LEFT])
    assert not lets_go(rule(), "sr", [])


def test_facts_are_those_of_the_prediction() -> None:
    facts = facts_of(build_prediction(laterality=Laterality.LEFT))

    assert (facts.status, facts.laterality) == ("final", "L")


def test_rules_are_listed_by_destination_and_removed(database: Database) -> None:
    with database.transaction() as session:
        for name in ("web", "pacs"):
            add_rule(session, add_destination(session, name, "folder", "/x"), ["final"])
    with database.transaction() as session:
        listed = list_rules(session)
        assert [destination.name for _, destination in listed] == ["pacs", "web"]
        remove_rule(session, key_of(listed[0][0]))
        assert [destination.name for _, destination in list_rules(session)] == ["web"]
        with pytest.raises(RecordNotFound):
            remove_rule(session, 99)


@pytest.mark.parametrize("asked", [{"statuses": ["superseded"]}, {"laterality": "B"}])
def test_rule_of_what_no_result_has_is_refused(database: Database, asked: dict[str, Any]) -> None:
    with pytest.raises(RuleInvalid), database.transaction() as session:
        add_rule(session, add_destination(session, "pacs", "folder", "/x"), **asked)
