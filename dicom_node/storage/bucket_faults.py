"""What an object store that speaks S3 answers, as our own errors: named by code, never quoted.

Its words repeat the address, the key of the account and what was signed; its codes are the
standard's, and tell an administrator what to mend.
"""

import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from obstore.exceptions import BaseError

from core.errors import RecordNotFound
from dicom_node.errors import ObjectUnreadable, StorageAway

_CODE: Final = re.compile(r"<Code>([A-Za-z0-9]+)</Code>")
_STATUS: Final = re.compile(r"status code: ([0-9]{3})")
_NO_SUCH_OBJECT: Final = "NoSuchKey"
#: One object was put away to a slower store, the bucket is there.
_ARCHIVED: Final = "InvalidObjectState"

#: Asked for credentials where the environment has none: the service of Amazon's own machines.
_METADATA_ADDRESS: Final = "169.254.169.254"
_NO_CREDENTIALS: Final = "NoCredentials"

_CREDENTIALS: Final = (
    "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and what that account may do"
)
_SLOW: Final = "it asks for fewer requests; they are tried again"
_REMEDIES: Final = {
    "NoSuchBucket": "make the bucket, or mend ARCUATE_STORAGE_URL",
    _NO_CREDENTIALS: _CREDENTIALS,
    "AccessDenied": _CREDENTIALS,
    "InvalidAccessKeyId": _CREDENTIALS,
    "SignatureDoesNotMatch": _CREDENTIALS,
    "ExpiredToken": _CREDENTIALS,
    "403": _CREDENTIALS,
    "RequestTimeTooSkewed": "set this machine's clock by NTP",
    "SlowDown": _SLOW,
    "503": _SLOW,
}
_ELSE: Final = "check the object store, the network and ARCUATE_STORAGE_ENDPOINT"


@contextmanager
def named_bucket_faults() -> Generator[None]:
    """Turn what the object store answers into our own errors.

    Raises
    ------
    RecordNotFound
        If it has no such object, while the bucket is there.
    ObjectUnreadable
        If it does not give this one out.
    StorageAway
        If it does not answer, or says no; the message names the code and what to do.
    """
    try:
        yield
    except (BaseError, OSError, ValueError) as error:
        code = _code_of(str(error))
        if code == _NO_SUCH_OBJECT:
            raise RecordNotFound("No bytes are kept under that key in the bucket") from None
        if code == _ARCHIVED:
            raise ObjectUnreadable(f"The bucket put a kept object away ({code})") from None
        raise StorageAway(
            f"The bucket does not answer as it must ({code}); {_REMEDIES.get(code, _ELSE)}"
        ) from None


def _code_of(words: str) -> str:
    if _METADATA_ADDRESS in words:
        return _NO_CREDENTIALS
    found = _CODE.search(words) or _STATUS.search(words)
    return found[1] if found else "unreachable"
