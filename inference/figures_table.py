"""Figures as the Markdown tables of docs/model.md."""

from collections.abc import Sequence
from itertools import groupby
from typing import Final

import numpy as np

from core.perimetry.pattern import X_DEGREE, Y_DEGREE
from inference.model_card import Figures
from inference.refusals import RefusalShare
from inference.segmentation_figures import SegmentationFigures

_HEADER: Final = (
    "| predictor | MAE | RMSE | MD | MAE, early | moderate | advanced |\n"
    "|---|---|---|---|---|---|---|\n"
)


def tables(figures: Sequence[Figures]) -> str:
    """Return one table in dB for each set of eyes the figures were measured on."""
    by_eyes = groupby(figures, key=lambda row: row.measured_on)
    return "\n".join(f"{eyes}\n\n{table(list(rows))}" for eyes, rows in by_eyes)


def table(figures: Sequence[Figures]) -> str:
    """Return figures of the same eyes as one table, in dB."""
    return _HEADER + "".join(_row(row) for row in figures)


def location_map(values_db: Sequence[float]) -> str:
    """Return a number for each of the 52 points where it lies in the field of a right eye."""
    columns = np.unique(X_DEGREE)
    lines = ["| y \\ x | " + " | ".join(f"{x:.0f}°" for x in columns) + " |"]
    lines.append("|---" * (len(columns) + 1) + "|")
    for y in np.unique(Y_DEGREE)[::-1]:
        at = {
            x: value
            for x, here, value in zip(X_DEGREE, Y_DEGREE, values_db, strict=True)
            if here == y
        }
        cells = [f"{at[x]:.1f}" if x in at else "" for x in columns]
        lines.append(f"| {y:.0f}° | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def refusal_table(shares: Sequence[RefusalShare]) -> str:
    """Return what a gate refuses as one table, in percent."""
    lines = ["| profiles | number | should pass | refused, % |", "|---|---|---|---|"]
    for share in shares:
        wanted = "yes" if share.should_pass else "no"
        percent = f"{100 * share.refused_share:.2f}"
        lines.append(f"| {share.profiles} | {share.count} | {wanted} | {percent} |")
    return "\n".join(lines) + "\n"


def segmentation_table(found: Sequence[SegmentationFigures]) -> str:
    """Return how well layers are measured as one table, in µm."""
    lines = ["| simulated difficulty | scans | refused, % | MAE, µm | worst | bias |"]
    lines.append("|---" * 6 + "|")
    for row in found:
        values = (row.mae_um, row.worst_um, row.bias_um)
        cells = ["–" if value is None else f"{value:.2f}" for value in values]
        refused = f"{100 * row.refused_share:.1f}"
        lines.append(f"| {' | '.join([row.difficulty, str(row.count), refused, *cells])} |")
    return "\n".join(lines) + "\n"


def _row(figures: Figures) -> str:
    values = (
        figures.mae_db,
        figures.rmse_db,
        figures.mean_deviation_mae_db,
        figures.early_mae_db,
        figures.moderate_mae_db,
        figures.advanced_mae_db,
    )
    cells = ["–" if value is None else f"{value:.2f}" for value in values]
    return f"| {' | '.join([figures.predictor, *cells])} |\n"
