from collections.abc import Iterator

import pytest

from arcuate.finding import Finding, Health
from arcuate.node import Node, prepare_node
from arcuate.webhook_checks import check_webhooks
from core.changes import append_change
from core.clock import utc_now
from core.database import Database
from core.errors import SettingsInvalid
from core.settings import Settings
from core.tables.changes import ChangeKind
from core.webhook_queue import claim_webhook, record_failure
from core.webhooks import Subscription, add_webhook, enable_webhook


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    made = prepare_node(settings)
    yield made
    made.database.close()


def fail(database: Database) -> None:
    with database.transaction() as session:
        add_webhook(session, Subscription("emr", "https://emr.example/?token=1"), False, utc_now())
        append_change(session, ChangeKind.JOB_FAILED, "1")
    with database.transaction() as session:
        claimed = claim_webhook(session, "me", 60)
        assert claimed is not None
        record_failure(session, claimed, "answered 500", 1, utc_now())


def test_failing_webhook_is_named_without_its_address(node: Node) -> None:
    fail(node.database)

    found = check_webhooks(node.settings)

    assert found.health is Health.WRONG
    assert "emr fails since" in found.found
    assert "answered 500" in found.found
    assert "token" not in found.found


def test_disabled_webhook_does_not_count(node: Node) -> None:
    fail(node.database)
    with node.database.transaction() as session:
        enable_webhook(session, "emr", enabled=False)

    found = check_webhooks(node.settings)

    assert found == Finding("webhooks", Health.GOOD, "1 webhooks, 1 disabled")


def test_authority_that_cannot_be_read_is_told(node: Node) -> None:

    wrong = node.settings.model_copy(update={"webhook_ca": "/nowhere.pem"})

    with pytest.raises(SettingsInvalid, match="webhook_ca"):
        check_webhooks(wrong)
