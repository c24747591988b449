"""Migrations from 0032 on build the indexes of large tables while the node goes on."""

import ast
from collections.abc import Iterator
from pathlib import Path

from core.tables.register import TABLES
from tests.conftest import REPOSITORY

_FIRST = "0032"
#: What grows with every scan, look or message.
_LARGE = {
    *("patients", "studies", "series", "instances", "jobs", "changes", "predictions", "reports"),
    *("deliveries", "audit_entries", "study_summaries", "measured_fields", "shadow_predictions"),
}
_BLOCKING = {"create_index", "drop_index", "create_unique_constraint"}


def _faults(source: str) -> Iterator[str]:
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    named = [(call.func.attr, call) for call in calls if isinstance(call.func, ast.Attribute)]
    made = {_text(call.args[0]) for name, call in named if name == "create_table"}
    for name, call in named:
        tables = {_text(word) for word in (*call.args[:2], *(k.value for k in call.keywords))}
        if name in _BLOCKING and tables & (_LARGE - made):
            yield f"line {call.lineno}: {name}; use core.migrations.indexes"


def _text(node: ast.expr) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else ""


def test_large_tables_get_their_indexes_live() -> None:
    files: list[Path] = sorted((REPOSITORY / "core/migrations/versions").glob("[0-9]*.py"))

    found = {file.name: list(_faults(file.read_text("utf-8"))) for file in files}

    assert {str(table.__tablename__) for table in TABLES} >= _LARGE
    assert {name: faults for name, faults in found.items() if faults and name >= _FIRST} == {}
    # It sees them: those of before were built so, while installations were small.
    assert found["0025_order_results_by_arrival.py"]
