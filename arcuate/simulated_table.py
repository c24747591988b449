"""Tables of simulated eyes: CSV that can be scored again, NumPy archive or Parquet."""

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from arcuate.errors import TableUnwritable
from arcuate.profile_table import ProfileFrom
from core.values.prediction import FIELD_POINTS
from inference.sector_profile import sectors_of
from inference.simulation.anatomy import EyeAnatomies
from inference.simulation.eyes import SimulatedEyes

_ENDINGS: Final = (".csv", ".npz", ".parquet")
_POINTS: Final = range(1, FIELD_POINTS + 1)


@dataclass(frozen=True)
class EyeTable:
    """Simulated eyes as they are written.

    Attributes
    ----------
    eye_ids, lateralities
        Text, shape (n,).
    numbers
        By name: the columns in order and their values, shape (n, columns).
    """

    eye_ids: NDArray[np.str_]
    lateralities: NDArray[np.str_]
    numbers: dict[str, tuple[tuple[str, ...], NDArray[np.floating]]]

    @classmethod
    def of(
        cls,
        eyes: SimulatedEyes,
        lateralities: NDArray[np.str_],
        first_number: int,
        made_from: ProfileFrom,
        anatomies: EyeAnatomies | None = None,
    ) -> Self:
        """Return simulated eyes as a table, numbered from `first_number`, with their anatomy."""
        is_samples = made_from is ProfileFrom.SAMPLES
        thickness_um = eyes.thickness_um if is_samples else sectors_of(eyes.thickness_um)
        numbers = range(first_number, first_number + len(eyes))
        return cls(
            np.array([f"sim-{number:06d}" for number in numbers]),
            lateralities,
            {
                "age_years": (("age_years",), eyes.age_years[:, np.newaxis]),
                "thickness_um": (made_from.columns, thickness_um),
                "true_db": (tuple(f"true_s{point}" for point in _POINTS), eyes.true_db),
                "measured_db": (tuple(f"measured_s{point}" for point in _POINTS), eyes.measured_db),
                "mean_deviation_db": (
                    ("mean_deviation_db",),
                    eyes.mean_deviation_db[:, np.newaxis],
                ),
                "healthy": (("healthy",), eyes.healthy[:, np.newaxis].astype(np.float32)),
                **({} if anatomies is None else _anatomy(anatomies)),
            },
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column, in order."""
        named = [name for names, _ in self.numbers.values() for name in names]
        return ("eye_id", "laterality", *named)

    @property
    def values(self) -> NDArray[np.float64]:
        """All numbers, shape (n, number columns)."""
        return np.hstack([values for _, values in self.numbers.values()], dtype=np.float64)


def _anatomy(anatomies: EyeAnatomies) -> dict[str, tuple[tuple[str, ...], NDArray[np.floating]]]:
    named = {
        "axial_length_mm": anatomies.axial_length_mm,
        "disc_fovea_angle_degree": anatomies.disc_fovea_angle_degree,
    }
    return {name: ((name,), values[:, np.newaxis]) for name, values in named.items()}


def write_eyes(path: Path, tables: Iterable[EyeTable]) -> None:
    """Write tables one below the other; the file's ending says the format.

    Only a whole file appears under its name.

    Raises
    ------
    TableUnwritable
        If the ending is none of the three, there is no such folder, or Parquet's library is not
        installed.
    """
    check_writable(path)
    unfinished = path.with_name(f"{path.name}.unfinished")
    write = {".csv": _write_csv, ".npz": _write_npz, ".parquet": _write_parquet}[path.suffix]
    try:
        write(unfinished, tables)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def check_writable(path: Path) -> None:
    """Refuse a file that could not be written, before anything is simulated.

    Raises
    ------
    TableUnwritable
        As `write_eyes`.
    """
    if path.suffix not in _ENDINGS:
        raise TableUnwritable(f"The file's ending must be one of {', '.join(_ENDINGS)}.")
    if not path.parent.is_dir():
        raise TableUnwritable(f"There is no folder {path.parent}; make it first")
    if path.suffix == ".parquet":
        _parquet()


def _write_csv(path: Path, tables: Iterable[EyeTable]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        for number, table in enumerate(tables):
            if number == 0:
                file.write(",".join(table.columns) + "\r\n")
            values = table.values
            # One template for a row is many times faster than a writer that looks at each value.
            row = ",".join(["%s,%s", *["%.7g"] * values.shape[1]]) + "\r\n"
            who = zip(table.eye_ids.tolist(), table.lateralities.tolist(), strict=True)
            file.writelines(
                row % (*names, *numbers)
                for names, numbers in zip(who, np.round(values, 2).tolist(), strict=True)
            )


def _write_npz(path: Path, tables: Iterable[EyeTable]) -> None:
    parts = list(tables)
    arrays: dict[str, NDArray[Any]] = {
        name: np.concatenate([part.numbers[name][1] for part in parts]) for name in parts[0].numbers
    }
    eye_ids = np.concatenate([part.eye_ids for part in parts])
    lateralities = np.concatenate([part.lateralities for part in parts])
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, eye_id=eye_ids, laterality=lateralities, **arrays)


class _ParquetWriter(Protocol):
    def write_table(self, table: object) -> None: ...


def _write_parquet(path: Path, tables: Iterable[EyeTable]) -> None:
    import pyarrow  # noqa: PLC0415 - an extra

    with ExitStack() as stack:
        writer: _ParquetWriter | None = None
        for table in tables:
            columns = [table.eye_ids, table.lateralities, *table.values.T.astype(np.float32)]
            rows = pyarrow.table(dict(zip(table.columns, columns, strict=True)))
            if writer is None:
                writer = stack.enter_context(_parquet().ParquetWriter(path, rows.schema))
            writer.write_table(rows)


def _parquet() -> Any:
    try:
        from pyarrow import parquet  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise TableUnwritable("Parquet needs the extra `parquet` (pyarrow)") from error
    return parquet
