"""Texts in CSV that spreadsheets do not run.

A cell that begins with one of a few characters is a formula to a spreadsheet, whoever wrote it: a
device, a referring office or an attacker who chose a Patient ID. As OWASP advises ("CSV Injection")
an apostrophe is put before it. Numbers are written as numbers and stay as they are.
"""

from typing import Final, TypeVar

_Value = TypeVar("_Value")

#: Full-width forms, too, which some spreadsheets fold.
_BEGIN_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def neutral(value: _Value) -> _Value | str:
    """Return a value that no spreadsheet takes for a formula."""
    if isinstance(value, str) and value.startswith(_BEGIN_FORMULAS):
        return f"'{value}"
    return value
