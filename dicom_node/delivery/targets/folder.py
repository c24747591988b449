"""A folder, as a share another system reads: each object a file, whole or not there."""

import errno
import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from core.deliveries.destinations import DestinationInvalid
from dicom_node.calling_errors import DestinationDown
from dicom_node.delivery.targets.target import (
    Commitment,
    Destination,
    Outgoing,
    Sent,
    Tools,
    Verdict,
)

#: A reader that takes `*.dcm` sees whole files only.
_SUFFIX: Final = ".dcm"
_UNFINISHED_SUFFIX: Final = ".part"


class Folder:
    """Writes objects into a folder that is there; it is never made.

    A share that is not mounted looks like a folder that is missing: what would be written there
    would be hidden when it comes back. Files are named by SOP Instance UID, which says nothing of
    the patient; the same object again is the same file.
    """

    kind = "folder"
    about = "ADDRESS is the folder's path; there are no options."

    def read_options(
        self, address: str, options: Mapping[str, str], secret: str | None
    ) -> dict[str, Any]:
        """Check that the path is absolute."""
        if not Path(address).is_absolute():
            raise DestinationInvalid(f"{address!r} is no absolute path")
        if options or secret:
            raise DestinationInvalid("A folder has neither options nor a secret")
        return {}

    def commitment_of(self, destination: Destination) -> Commitment | None:
        """Ask for none: what is synced is kept."""
        return None

    def send(
        self, destination: Destination, objects: Sequence[Outgoing], tools: Tools
    ) -> Generator[Sent]:
        """Write each object."""
        self.probe(destination, tools)
        folder = Path(destination.address)
        for outgoing in objects:
            content = outgoing.read()
            try:
                _write(folder, f"{outgoing.sop_instance_uid}{_SUFFIX}", content)
            except OSError as error:
                raise DestinationDown(_explain(error)) from error
            yield Sent(outgoing.delivery_id, Verdict.DELIVERED)

    def probe(self, destination: Destination, tools: Tools) -> None:
        """See whether the folder is there and may be written."""
        folder = Path(destination.address)
        if not folder.is_dir():
            raise DestinationDown(f"The folder {folder} is not there; is its share mounted?")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise DestinationDown(f"The folder {folder} may not be written")


def _write(folder: Path, name: str, content: bytes) -> None:
    path = folder / name
    with suppress(OSError):
        if path.read_bytes() == content:
            return
    unfinished = folder / f".{name}.{uuid4().hex}{_UNFINISHED_SUFFIX}"
    try:
        with unfinished.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    _sync(folder)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _explain(error: OSError) -> str:
    name = errno.errorcode.get(error.errno or 0, "unknown")
    return f"The folder cannot be written ({name})"
