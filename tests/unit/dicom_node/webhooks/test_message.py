import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from core.tables.changes import ChangeKind, ChangeRow
from dicom_node.webhooks.message import message_of, signature, trial_message

_AT = datetime(2026, 3, 4, 9, 30, tzinfo=timezone(timedelta(hours=2)))


def test_signature_is_that_of_the_published_example() -> None:
    found = signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "1614265330",
        b'{"test": 2432232314}',
    )

    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_message_is_the_change_with_links() -> None:
    change = ChangeRow(number=7, kind="prediction_recorded", subject="p1", happened_at=_AT)

    message = message_of(change)

    assert message.message_id == "7"
    assert json.loads(message.body) == {
        "number": 7,
        "kind": "prediction_recorded",
        "subject": "p1",
        "happened_at": "2026-03-04T07:30:00Z",
        "links": {
            "change": "/v1/changes?after=6&limit=1",
            "prediction": "/v1/predictions/p1",
            "page": "/predictions/p1",
        },
    }


@pytest.mark.parametrize("kind", ChangeKind)
def test_every_kind_can_be_told(kind: ChangeKind) -> None:
    change = ChangeRow(number=1, kind=kind, subject="{0}%s", happened_at=_AT)

    assert json.loads(message_of(change).body)["subject"] == "{0}%s"


def test_headers_name_the_moment_of_posting() -> None:
    message = trial_message("emr", _AT)

    headers = message.headers("whsec_AAAA", datetime(2026, 1, 1, tzinfo=UTC))

    assert headers["Webhook-Timestamp"] == "1767225600"
    assert headers["Webhook-Id"].startswith("test-")
    assert headers["Webhook-Signature"].startswith("v1,")
