"""What the commands share: the settings of this call, and how they print."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

import typer
from rich.console import Console
from rich.table import Table

from core.settings import Settings, load_settings

_PIPE_WIDTH: Final = 400


def settings_of(context: typer.Context, **overrides: Any) -> Settings:
    """Return the settings of this call; what the command line leaves out (None) overrides nothing.

    Raises
    ------
    SettingsInvalid
        If one is unknown or out of range.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    return load_settings(context.obj, overrides=given)


def print_json(value: Any) -> None:
    """Print a value for a program to read."""
    sys.stdout.write(json.dumps(value, indent=2, default=str, ensure_ascii=False) + "\n")


def print_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], as_json: bool) -> None:
    """Print rows as a table for people, or as JSON for programs."""
    if as_json:
        print_json([dict(row) for row in rows])
        return
    console = Console()
    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*("" if row[name] is None else str(row[name]) for name in columns))
    # In a pipe there is no edge to wrap at.
    console.print(table, width=None if console.is_terminal else _PIPE_WIDTH)
