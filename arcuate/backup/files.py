"""Files copied into a back-up and out of it, with their digests."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Final

_CHUNK_BYTES: Final = 1 << 20
_MODE: Final = 0o750


@dataclass(frozen=True)
class Copied:
    """One file of a back-up: `path` below it, SHA-256 in hex, size in bytes."""

    path: str
    digest: str
    size_bytes: int


@dataclass(frozen=True)
class Earlier:
    """A back-up made before, whose files need not be copied again: they never change.

    Attributes
    ----------
    digests
        Of its files, by their path below its folder.
    """

    folder: Path
    digests: Mapping[str, str]

    def link(self, path: str, source: Path, target: Path) -> Copied | None:
        """Name its file a second time; None where it has none of that size, or on another disk."""
        digest, own = self.digests.get(path), self.folder / path
        try:
            size = source.stat().st_size
            if digest is None or own.stat().st_size != size:
                return None
            make_folder(target.parent)
            target.hardlink_to(own)
        except OSError:
            return None
        return Copied(path, digest, size)


def copy_file(path: str, source: Path, target: Path) -> Copied:
    """Copy a file and return its digest.

    Raises
    ------
    FileNotFoundError
        If it is not there (any more).
    """
    digest, size = sha256(), 0
    with source.open("rb") as reader:
        make_folder(target.parent)
        with target.open("xb") as writer:
            for chunk in _chunks(reader.fileno()):
                digest.update(chunk)
                size += writer.write(chunk)
    return Copied(path, digest.hexdigest(), size)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def make_folder(folder: Path) -> None:
    """Make a folder that others may not look into."""
    folder.mkdir(mode=_MODE, parents=True, exist_ok=True)


def _chunks(descriptor: int) -> Iterator[bytes]:
    while chunk := os.read(descriptor, _CHUNK_BYTES):
        yield chunk
