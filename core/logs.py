"""JSON log lines on standard error: an event name and fields, never patient data."""

import logging
import sys
import threading
import traceback
from types import TracebackType
from typing import Final

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

#: Innermost frames of a traceback that are logged.
_FRAMES: Final = 5


def place_of(trace: TracebackType | None) -> list[str]:
    """Return the last frames of a traceback: where, and nothing of what was in the variables."""
    frames = traceback.extract_tb(trace)[-_FRAMES:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def _tell_place(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Put the type and the place of an exception where a traceback would go.

    Libraries log the exceptions they meet. Their messages quote what was being worked on: values
    of a statement, an attribute that could not be read; that is a patient's name.
    """
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info[1] if isinstance(info, tuple) else info
    if not isinstance(error, BaseException):
        return event
    event["event"] = _without_message(str(event["event"]), error)
    event["error"], event["place"] = type(error).__name__, place_of(error.__traceback__)
    return event


def _without_message(text: str, error: BaseException) -> str:
    # pynetdicom logs the exception itself, asyncio how it is written.
    for message in filter(None, (repr(error), str(error))):
        text = text.replace(message, type(error).__name__)
    return text.strip()


_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _tell_place,
)

#: Loggers of libraries that would write DICOM identifiers or whole requests at their usual level.
_QUIET_LOGGERS = (
    "pynetdicom",
    "pydicom",
    "highdicom",
    "matplotlib",
    "PIL",
    "httpx",
    "uvicorn.access",
)


def configure_logs(level: str, role: str) -> None:
    """Send every logger of this process to standard error as JSON lines.

    Parameters
    ----------
    level
        Least severe level that is written: debug, info, warning or error.
    role
        Which process this is; a field of every line.
    """
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in _QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(role=role)
    threading.excepthook = _log_end_of_thread


def _log_end_of_thread(ended: threading.ExceptHookArgs) -> None:
    """Log what ended a thread; Python would print it with its message."""
    name = ended.thread.name if ended.thread is not None else ""
    error = ended.exc_value or ended.exc_type()
    get_logger(__name__).error("thread_ended", thread=name, exc_info=error)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a module."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger
