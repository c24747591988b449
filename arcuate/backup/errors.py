"""What can go wrong with a back-up.

NodeError
├─ WrongUse
│   ├─ BackupElsewhere    there is something already where it should go
│   └─ BackupUnfit        it cannot be restored into this node
├─ BackupIncomplete       it was not finished, or something of it is missing or damaged
└─ DatabaseToolFailed     pg_dump or pg_restore failed
"""

from arcuate.errors import WrongUse
from core.errors import NodeError


class BackupElsewhere(WrongUse):
    """There is something already where it should go; choose an empty place."""


class BucketNotCopied(WrongUse):
    """A bucket is not copied here: use --record-only, and keep its versions by its own means."""


class BackupUnfit(WrongUse):
    """The back-up cannot be restored into this node."""


class BackupIncomplete(NodeError):
    """The back-up was not finished, or something of it is missing or damaged."""


class DatabaseToolFailed(NodeError):
    """pg_dump or pg_restore failed."""
