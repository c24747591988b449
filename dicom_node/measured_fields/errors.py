"""Why an object gives no measured field."""

from core.errors import NodeError


class FieldRefused(NodeError):
    """The object holds no measured field that could be trusted."""
