"""What the commands share: the settings of this call, and how they print."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from arcuate.audited import describe_command
from core.settings import Settings, load_settings

_PIPE_WIDTH: Final = 400


def settings_of(context: typer.Context, **overrides: Any) -> Settings:
    """Return the settings of this call; what the command line leaves out (None) overrides nothing.

    Raises
    ------
    SettingsInvalid
        If one is unknown or out of range.
    """
    describe_command(_words_of(context), context.params)
    given = {name: value for name, value in overrides.items() if value is not None}
    return load_settings(context.obj, overrides=given)


def _words_of(context: typer.Context) -> list[str]:
    words: list[str] = []
    while context.parent is not None:
        words.insert(0, context.info_name or "")
        context = cast("typer.Context", context.parent)
    return words


def print_json(value: Any) -> None:
    """Print a value for a program to read; times as RFC 3339."""
    sys.stdout.write(json.dumps(value, indent=2, default=_plain, ensure_ascii=False) + "\n")


def print_rows(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], as_json: bool, nothing: str = ""
) -> None:
    """Print rows as a table for people, or as JSON for programs.

    Parameters
    ----------
    nothing
        What people read instead of a table without rows.
    """
    if as_json:
        print_json([dict(row) for row in rows])
        return
    # In a pipe there is no edge to wrap at.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
    if nothing and not rows:
        console.print(Text(nothing), soft_wrap=True)
        return
    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        # As text: a cause or a description may hold brackets of its own.
        table.add_row(*(Text(_shown(row[name])) for name in columns))
    console.print(table)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:%Y-%m-%d %H:%M:%S %Z}" if isinstance(value, datetime) else str(value)
