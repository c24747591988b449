"""The log of one process of the node."""

import logging
from typing import Final

from core.logs import configure_logs
from core.settings import Settings

#: Libraries whose everyday lines (which dialect, which process id) would bury the node's own.
_TALKATIVE: Final = ("alembic", "uvicorn.error")


def configure_role_logs(settings: Settings, role: str) -> None:
    """Send the log of this process to standard error, without what libraries say every day."""
    configure_logs(settings.log_level, role)
    if settings.log_level != "debug":
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
