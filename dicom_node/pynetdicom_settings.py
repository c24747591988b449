"""The process-wide settings of pynetdicom, changed in one place."""

from pynetdicom import _config


def configure_pynetdicom() -> None:
    """Keep patients out of its logs, and send files as they are; harmless to repeat.

    By default pynetdicom formats every message for its log, identifiers included: that is patient
    data, and time. And it would decode and encode again each file it sends.
    """
    _config.LOG_HANDLER_LEVEL = "none"
    _config.LOG_REQUEST_IDENTIFIERS = False
    _config.LOG_RESPONSE_IDENTIFIERS = False
    _config.STORE_SEND_CHUNKED_DATASET = True
