"""Writes a model card as TOML, in the order a person reads it."""

import json
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any

from inference.model_card import CARD_FILE, ModelCard


def write_card(card: ModelCard) -> Path:
    """Write the card into its folder and return the file."""
    plain, tables = [], []
    for field in fields(card):
        if field.name == "folder":
            continue
        value = getattr(card, field.name)
        if field.name in {"inputs", "figures"}:
            tables += [f"\n[[{field.name}]]\n{_entries(asdict(entry))}" for entry in value]
        elif is_dataclass(value) and not isinstance(value, type):
            tables.append(f"\n[{field.name}]\n{_entries(asdict(value))}")
        else:
            plain.append(_entries({field.name: value}))
    path = card.folder / CARD_FILE
    path.write_text("".join([*plain, *tables]), encoding="utf-8")
    return path


def _entries(values: dict[str, Any]) -> str:
    # A JSON string, finite number or list of them is TOML as well; TOML has no null.
    return "".join(
        f"{key} = {json.dumps(value, ensure_ascii=False, allow_nan=False)}\n"
        for key, value in values.items()
        if value is not None
    )
