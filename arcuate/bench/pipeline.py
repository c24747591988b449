"""Copies of one study, sent to a node, and their results awaited by REST."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydicom import Dataset, dcmread
from pydicom.uid import generate_uid

from arcuate.throwaway import ThrowawayNode
from core.errors import NodeError
from dicom_node.scu.store import send

CALLING_AE_TITLE: Final = "BENCH"
POLL_SECONDS: Final = 0.005
PATIENCE_SECONDS: Final = 60.0


class NoPrediction(NodeError):
    """A scan was not taken, or its prediction did not come."""


def send_copy(running: ThrowawayNode, files: Sequence[Path], folder: Path) -> float:
    """Send a copy, and wait for its result; return the seconds from the response to it.

    Raises
    ------
    NoPrediction
        If it was refused or its prediction did not come.
    """
    paths = copy_of(files, folder)
    answered = send_files(running, paths)
    study_uid = str(dcmread(paths[0], stop_before_pixels=True).StudyInstanceUID)
    _wait_for_prediction(running, study_uid, answered)
    return time.perf_counter() - answered


def copy_of(files: Sequence[Path], folder: Path) -> Sequence[Path]:
    """Write a copy of one study, with UIDs of its own, into a new folder."""
    folder.mkdir()
    copies = _renamed([dcmread(path) for path in files])
    paths = [folder / f"{number}.dcm" for number in range(len(copies))]
    for path, copy in zip(paths, copies, strict=True):
        copy.save_as(path)
    return paths


def send_files(running: ThrowawayNode, paths: Sequence[Path]) -> float:
    """Send files; return when the first was answered, by `time.perf_counter`.

    Raises
    ------
    NoPrediction
        If one was refused.
    """
    answers = send(paths, running.peer, CALLING_AE_TITLE)
    first = next(answers)
    answered = time.perf_counter()
    if not first.is_kept or not all(answer.is_kept for answer in answers):
        raise NoPrediction(f"The node did not take the scan: {first.message}")
    return answered


def _renamed(datasets: Sequence[Dataset]) -> Sequence[Dataset]:
    """Give the objects new UIDs, the same new one wherever the same old one stood."""
    new: dict[str, str] = {}

    def rename(_parent: Dataset, element: object) -> None:
        keyword, value = getattr(element, "keyword", ""), getattr(element, "value", None)
        if keyword in _RENAMED and isinstance(value, str):
            element.value = new.setdefault(value, generate_uid())  # type: ignore[attr-defined]

    for dataset in datasets:
        dataset.walk(rename)
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return datasets


_RENAMED: Final = frozenset(
    {
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "SOPInstanceUID",
        "ReferencedSOPInstanceUID",
        "FrameOfReferenceUID",
    }
)


def _wait_for_prediction(running: ThrowawayNode, study_uid: str, since: float) -> None:
    while time.perf_counter() - since < PATIENCE_SECONDS:
        answer = running.client.get(f"/v1/studies/{study_uid}/predictions")
        if answer.is_success and answer.json()["items"]:
            return
        time.sleep(POLL_SECONDS)
    raise NoPrediction(f"No prediction within {PATIENCE_SECONDS:.0f} s")
