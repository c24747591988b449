"""A file of the folder before a bucket, held: whoever moves or removes it is alone with it."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


class FileHeld(Exception):
    """Another process is writing or moving it."""


@contextmanager
def held_file(path: Path) -> Generator[BinaryIO | None]:
    """Open and hold a file; None where it is not there, or was taken away meanwhile.

    Raises
    ------
    FileHeld
        If another holds it: who moves it, or who receives it and has not answered yet.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        yield None
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FileHeld from error
        yield file if _is_named(file, path) else None


def _is_named(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
