"""What can go wrong at the terminal.

NodeError
├─ WrongUse            the command was called wrongly: exit code 2
│   ├─ TableUnwritable     the table of scores cannot be written there
│   └─ ExportElsewhere     the folder holds another export
├─ ProfilesUnreadable  the file holds no RNFL profiles
└─ FieldsUnreadable    the file holds no measured fields
"""

from core.errors import NodeError


class WrongUse(NodeError):
    """The command was called wrongly; its --help says how."""


class TableUnwritable(WrongUse):
    """The file's ending must be .csv, .jsonl or .parquet."""


class ExportElsewhere(WrongUse):
    """The folder holds another export, or other files; choose another one."""


class FieldsUnreadable(NodeError):
    """The file holds no measured fields."""


class ProfilesUnreadable(NodeError):
    """The file holds no RNFL profiles."""
