"""The digest of a model's files: one file, or a folder of them."""

import hashlib
from pathlib import Path

from inference.errors import ModelDamaged


def weights_digest(path: Path) -> str:
    """Return `sha256:` and the hexadecimal digest of a file, or of a folder with all it holds.

    A folder's digest covers the name of every file in it, relative to the folder, with its content.

    Raises
    ------
    OSError
        If something cannot be read.
    ModelDamaged
        If a folder holds a link or anything but files: what it points to could change unseen.
    """
    digest = _folder_digest(path) if path.is_dir() else _file_digest(path)
    return f"sha256:{digest}"


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _folder_digest(folder: Path) -> str:
    whole = hashlib.sha256()
    named = {path.relative_to(folder).as_posix(): path for path in _files(folder)}
    for name, path in sorted(named.items()):
        # Lengths and digests are of fixed size, so no two folders write the same bytes.
        whole.update(f"{len(name.encode()):016d}".encode())
        whole.update(name.encode())
        whole.update(bytes.fromhex(_file_digest(path)))
    return whole.hexdigest()


def _files(folder: Path) -> list[Path]:
    entries = list(folder.rglob("*"))
    for path in entries:
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            raise ModelDamaged(
                f"{path.relative_to(folder).as_posix()} in {folder.name} is no plain file: a model "
                "is copied whole, so put the file itself there."
            )
    return [path for path in entries if path.is_file()]
