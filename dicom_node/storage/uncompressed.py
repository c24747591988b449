"""Decompressing, done by processes beside ours: the way there and back."""

import json
import subprocess
import sys
import threading
import weakref
from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from queue import LifoQueue
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from dicom_node.errors import PixelsUnreadable
from dicom_node.storage.bytes import Storage, named_faults
from dicom_node.storage.part10 import Announced
from dicom_node.storage.selection import Selected

#: What we write, the better first.
UNCOMPRESSED: Final = (str(ExplicitVRLittleEndian), str(ImplicitVRLittleEndian))
#: Processes of one of ours that decode at a time.
_PROCESSES: Final = 2
#: After this a process is ended: the object it works on is a trap.
_PATIENCE_SECONDS: Final = 120.0
_CHUNK_BYTES: Final = 1 << 20


class DecodingProcess:
    """One process, started when it is first asked, and again where an object ended it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def ask(self, request: dict[str, Any], patience_seconds: float = _PATIENCE_SECONDS) -> None:
        """Have a request carried out.

        Raises
        ------
        PixelsUnreadable
            If it cannot be, for whatever reason.
        """
        process = self._running()
        timer = threading.Timer(patience_seconds, process.kill)
        timer.start()
        try:
            answer = _exchange(process, json.dumps(request))
        finally:
            timer.cancel()
        if not answer:
            self._process = None
            _end(process)
            raise PixelsUnreadable("The decoder did not survive this object")
        if error := json.loads(answer).get("error"):
            raise PixelsUnreadable(error)

    def _running(self) -> "subprocess.Popen[str]":
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "dicom_node.storage.decoding_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # What decoders say there could quote the object.
                stderr=subprocess.DEVNULL,
                text=True,
            )
            weakref.finalize(self, _end, self._process)
        return self._process


def _exchange(process: "subprocess.Popen[str]", line: str) -> str:
    assert process.stdin is not None  # noqa: S101 - both are pipes
    assert process.stdout is not None  # noqa: S101
    try:
        process.stdin.write(line + "\n")
        process.stdin.flush()
        return process.stdout.readline()
    except OSError:
        return ""


def _end(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        # What was not taken of a request is lost with who should have taken it.
        with suppress(OSError):
            if pipe is not None:
                pipe.close()


@dataclass(frozen=True)
class Converted:
    """A DICOM file of our own making, which has no name any more: it goes with its last chunk."""

    _file: BinaryIO
    length: int

    def chunks(self) -> Iterator[bytes]:
        """Yield its bytes."""
        with named_faults(), self._file as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk


@dataclass(frozen=True)
class Uncompressing:
    """Objects and frames without compression; shared by the threads of a process.

    Attributes
    ----------
    maximum_bytes
        A deflated data set that would become longer is refused.
    """

    maximum_bytes: int
    _idle: LifoQueue[DecodingProcess] = field(default_factory=LifoQueue)

    def __post_init__(self) -> None:
        for _ in range(_PROCESSES):
            self._idle.put(DecodingProcess())

    def convert(self, storage: Storage, selected: Selected, syntax: str) -> "Converted":
        """Return an object as a DICOM file of an uncompressed transfer syntax, made by now.

        Raises
        ------
        PixelsUnreadable
            If it cannot be decoded.
        """
        with TemporaryDirectory(prefix="arcuate-") as folder, named_faults():
            target = Path(folder) / "object.dcm"
            self._ask(storage, selected, target, syntax=syntax)
            return Converted(target.open("rb"), target.stat().st_size)

    @contextmanager
    def open_as(
        self, storage: Storage, selected: Selected, syntaxes: Collection[str]
    ) -> Generator[tuple[BinaryIO, str]]:
        """Open an object as a DICOM file of one of some transfer syntaxes; yield that, too.

        Raises
        ------
        PixelsUnreadable
            If none of them is uncompressed, or the object cannot be decoded.
        RecordNotFound, StorageAway
            As `Storage.open`.
        """
        syntax = next((one for one in UNCOMPRESSED if one in syntaxes), None)
        if syntax is None:
            raise PixelsUnreadable("The peer takes neither the object's encoding nor a plain one")
        with TemporaryDirectory(prefix="arcuate-") as folder:
            target = Path(folder) / "object.dcm"
            self._ask(storage, selected, target, syntax=syntax)
            with named_faults(), target.open("rb") as file:
                yield file, syntax

    def frame(self, storage: Storage, selected: Selected, number: int) -> NDArray[Any]:
        """Return a frame (1 = the first): stored grey values, or red, green and blue.

        Raises
        ------
        PixelsUnreadable
            If it cannot be decoded.
        """
        with TemporaryDirectory(prefix="arcuate-") as folder:
            target = Path(folder) / "frame.npy"
            self._ask(storage, selected, target, frame=number)
            loaded: NDArray[Any] = np.load(target, allow_pickle=False)
            return loaded

    def _ask(
        self,
        storage: Storage,
        selected: Selected,
        target: Path,
        frame: int = 0,
        syntax: str = "",
    ) -> None:
        announced = Announced(
            transfer_syntax_uid=selected.transfer_syntax_uid,
            sop_class_uid=selected.sop_class_uid,
            sop_instance_uid=selected.sop_instance_uid,
        )
        process = self._idle.get()
        try:
            process.ask(
                {
                    "storage": storage.describe(),
                    "storage_key": selected.storage_key,
                    "announced": asdict(announced),
                    "maximum_bytes": self.maximum_bytes,
                    "target": str(target),
                    "frame": frame,
                    "syntax": syntax,
                }
            )
        finally:
            self._idle.put(process)
