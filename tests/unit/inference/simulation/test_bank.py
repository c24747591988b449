from pathlib import Path

import numpy as np
import pytest

from inference.errors import TrainingDataInvalid
from inference.simulation.bank import Part, part_of, read_bank


def write_bank(path: Path, patients: int = 400) -> Path:
    """A bank of two eyes per patient, whose pattern is the patient's code in tenths of a dB."""
    codes = np.repeat(np.arange(patients), 2)
    np.savez(
        path, td=np.repeat(-codes[:, None], 52, axis=1).astype(np.int16), pat=codes.astype(str)
    )
    return path


def test_read_bank_gives_each_patient_to_one_part_only(tmp_path: Path) -> None:
    bank = write_bank(tmp_path / "bank.npz")

    parts = [set(read_bank(bank, part).total_deviation_db[:, 0].tolist()) for part in Part]

    assert len(set.union(*parts)) == sum(map(len, parts)) == 400
    assert all(parts)


def test_read_bank_gives_decibel(tmp_path: Path) -> None:
    bank = read_bank(write_bank(tmp_path / "bank.npz", patients=40), Part.TRAIN)

    assert bank.total_deviation_db.min() > -4


def test_part_of_depends_on_the_code_alone() -> None:
    codes = np.arange(1000, dtype=np.uint64)

    assert np.array_equal(part_of(codes)[500:], part_of(codes[500:]))


def test_public_bank_keeps_the_published_test_patients(shared_data: Path) -> None:
    path = shared_data / "visual-field" / "uwhvf_td_bank.npz"
    sizes = {part: len(read_bank(path, part).total_deviation_db) for part in Part}

    assert sizes[Part.TEST] == 436
    assert sum(sizes.values()) == 2344


def test_read_bank_refuses_what_is_no_bank(tmp_path: Path) -> None:
    other = tmp_path / "other.npz"
    np.savez(other, fields=np.zeros(3))

    with pytest.raises(TrainingDataInvalid, match=r"other\.npz is not a bank"):
        read_bank(other, Part.TRAIN)
    with pytest.raises(TrainingDataInvalid, match=r"missing\.npz is not a bank"):
        read_bank(tmp_path / "missing.npz", Part.TRAIN)
