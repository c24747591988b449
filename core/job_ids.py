"""Ids of deployment jobs, which tell who gave a job to those who know the name.

A random half, and a digest of it and of the giver: whose a job is needs no column, and nobody makes
one that is another's.
"""

import uuid
from hashlib import sha256
from typing import Final

_HALF: Final = 8
#: Of a random UUID (RFC 9562, 5.4): ids stay what clients know.
_VERSION: Final = 4


def new_job_id(giver: str) -> str:
    """Return an id, random as a whole where nobody in particular gives the job."""
    made = uuid.uuid4()
    return str(_told(made.bytes[:_HALF], giver) if giver else made)


def is_given_by(job_id: str, giver: str) -> bool:
    """Whether a job was given by somebody; never by nobody in particular."""
    try:
        found = uuid.UUID(job_id)
    except ValueError:
        return False
    return bool(giver) and found == _told(found.bytes[:_HALF], giver)


def _told(drawn: bytes, giver: str) -> uuid.UUID:
    digest = sha256(b"deployment job\0" + drawn + giver.encode("utf-8", "replace")).digest()
    return uuid.UUID(bytes=drawn + digest[:_HALF], version=_VERSION)
