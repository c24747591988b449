"""What the commands share: the settings of this call, and how they print."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from core.settings import Settings, load_settings


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
    table = Table(*(name.replace("_", " ") for name in columns), box=None, pad_edge=False)
    for row in rows:
        table.add_row(*("" if row[name] is None else str(row[name]) for name in columns))
    Console().print(table)
