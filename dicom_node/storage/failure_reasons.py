"""The Failure Reason (0008,1197) of an instance that was not stored over HTTP.

PS3.18 10.5.3 takes the values of the C-STORE response, so each error is mapped once, for both.
"""

from core.errors import NodeError
from dicom_node.statuses import status_of


def failure_reason_of(error: NodeError) -> int:
    """Return the reason that tells an error."""
    return int(status_of(error))
