"""A change as a message: its body, and the headers that sign it.

The form of the headers is that of https://www.standardwebhooks.com, for which there are libraries.
"""

import base64
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final
from uuid import uuid4

from core.tables.changes import ChangeKind, ChangeRow
from core.webhooks import SIGNING_PREFIX

#: Kind of a message that only tries whether messages arrive.
TEST_KIND: Final = "test"

_OF_PREDICTION: Final = {"prediction": "/v1/predictions/{0}", "page": "/predictions/{0}"}
_LINKS: Final[dict[str, dict[str, str]]] = {
    ChangeKind.PREDICTION_RECORDED: _OF_PREDICTION,
    ChangeKind.PREDICTION_REVIEWED: _OF_PREDICTION,
    ChangeKind.REVIEW_REQUESTED: _OF_PREDICTION,
    ChangeKind.REVIEW_WITHDRAWN: _OF_PREDICTION,
    ChangeKind.STUDY_SETTLED: {"study": "/v1/studies/{0}"},
    ChangeKind.STUDY_REOPENED: {"study": "/v1/studies/{0}"},
    ChangeKind.MEASURED_FIELD_RECORDED: {"measured_field": "/v1/measured-fields/{0}"},
    ChangeKind.INSTANCE_QUARANTINED: {"quarantine": "/v1/quarantine"},
    ChangeKind.JOB_FAILED: {"jobs": "/v1/jobs?status=failed"},
    ChangeKind.CALLER_REFUSED: {"callers": "/v1/callers"},
    ChangeKind.DEVICE_SILENT: {"peers": "/v1/peers"},
    ChangeKind.DEVICE_BACK: {"peers": "/v1/peers"},
}


@dataclass(frozen=True)
class Message:
    """What is posted.

    Attributes
    ----------
    message_id
        The number of the change: the same however often it is posted.
    """

    message_id: str
    body: bytes

    def headers(self, secret: str, now: datetime) -> dict[str, str]:
        """Return the headers that sign it with a secret at this moment."""
        timestamp = str(int(now.timestamp()))
        return {
            "Content-Type": "application/json",
            "Webhook-Id": self.message_id,
            "Webhook-Timestamp": timestamp,
            "Webhook-Signature": signature(secret, self.message_id, timestamp, self.body),
        }


def signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """Return the signature of a message: version, comma, HMAC-SHA256 in base64."""
    key = base64.b64decode(secret.removeprefix(SIGNING_PREFIX))
    content = b".".join((message_id.encode(), timestamp.encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, content, sha256).digest()).decode()


def message_of(change: ChangeRow) -> Message:
    """Return a change as a message; nothing of a patient but identifiers is in it."""
    links = {"change": f"/v1/changes?after={change.number - 1}&limit=1"}
    for name, path in _LINKS.get(change.kind, {}).items():
        links[name] = path.format(change.subject)
    content = {
        "number": change.number,
        "kind": change.kind,
        "subject": change.subject,
        "happened_at": _rfc3339(change.happened_at),
        "links": links,
    }
    return Message(str(change.number), json.dumps(content).encode())


def trial_message(name: str, now: datetime) -> Message:
    """Return a message that tells of no change."""
    content: dict[str, Any] = {
        "number": None,
        "kind": TEST_KIND,
        "subject": name,
        "happened_at": _rfc3339(now),
        "links": {},
    }
    return Message(f"{TEST_KIND}-{uuid4()}", json.dumps(content).encode())


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
