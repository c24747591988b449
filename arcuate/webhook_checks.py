"""Check of who is told of changes: webhooks that fail."""

from typing import Final

from arcuate.finding import Finding, Health
from arcuate.node import database_exists, open_node
from core.settings import Settings
from core.webhooks import WebhookState, webhook_states
from dicom_node.webhooks.posting import trusted

_CHECK: Final = "webhooks"


def check_webhooks(settings: Settings) -> Finding:
    """Look whether every enabled webhook takes what it is told."""
    if not database_exists(settings):
        return Finding(_CHECK, Health.NOTE, "no database yet", "`arcuate up` makes it.")
    trusted(settings)
    node = open_node(settings)
    try:
        with node.database.reading() as session:
            states = webhook_states(session)
    finally:
        node.database.close()
    failing = [state for state in states if state.row.enabled and state.row.failing_since]
    if not failing:
        disabled = sum(not state.row.enabled for state in states)
        return Finding(_CHECK, Health.GOOD, f"{len(states)} webhooks, {disabled} disabled")
    found = "; ".join(map(_words, failing))
    return Finding(_CHECK, Health.WRONG, found, "`arcuate webhooks test NAME` tries one at once.")


def _words(state: WebhookState) -> str:
    row = state.row
    return f"{row.name} fails since {row.failing_since:%Y-%m-%d %H:%M} UTC ({row.last_error})"
