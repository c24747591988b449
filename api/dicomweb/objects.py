"""Kept objects as the retrievals over HTTP use them: what was found out once is remembered.

Content never changes under its digest, so nothing here grows stale.
"""

import threading
from collections import OrderedDict
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any, BinaryIO, Final, Generic, TypeVar

from fastapi import Depends, Request
from numpy.typing import NDArray

from dicom_node.storage.bytes import Storage
from dicom_node.storage.decoded import decode_frame
from dicom_node.storage.frames import FrameTable, is_encapsulated, table_of
from dicom_node.storage.kept_object import KeptObject, open_content, read_kept_object
from dicom_node.storage.selection import Selected
from dicom_node.storage.uncompressed import Uncompressing

#: A table of frames is some hundred bytes, or as many for each frame that is compressed.
_TABLES: Final = 512
#: A header with the places of five hundred frames is some megabytes.
_HEADERS: Final = 8

_Value = TypeVar("_Value")


@dataclass
class _Recent(Generic[_Value]):
    """The values used last, by digest."""

    maximum: int
    _values: OrderedDict[str, _Value] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, digest: str) -> _Value | None:
        with self._lock:
            value = self._values.get(digest)
            if value is not None:
                self._values.move_to_end(digest)
            return value

    def put(self, digest: str, value: _Value) -> None:
        with self._lock:
            self._values[digest] = value
            while len(self._values) > self.maximum:
                self._values.popitem(last=False)


class KeptObjects:
    """Reads kept objects; shared by all requests."""

    def __init__(self, storage: Storage, maximum_bytes: int) -> None:
        self._storage = storage
        self._maximum_bytes = maximum_bytes
        self.uncompressing = Uncompressing(maximum_bytes)
        self._tables: _Recent[FrameTable] = _Recent(_TABLES)
        self._headers: _Recent[KeptObject] = _Recent(_HEADERS)

    @contextmanager
    def open(self, selected: Selected) -> Generator[tuple[BinaryIO, int]]:
        """Open an object; yield a file, and where in it the data set begins."""
        with open_content(
            self._storage, selected.storage_key, selected.transfer_syntax_uid, self._maximum_bytes
        ) as opened:
            yield opened

    @contextmanager
    def opened(self, selected: Selected) -> Generator[BinaryIO]:
        """Open an object; yield its file, inflated."""
        with self.open(selected) as (file, _):
            yield file

    def header(self, selected: Selected) -> KeptObject:
        """Return what an object says beside its bulk values; to be read, not changed."""
        kept = self._headers.get(selected.digest)
        if kept is None:
            with self.open(selected) as (file, start):
                kept = read_kept_object(file, start, selected.transfer_syntax_uid)
            self._headers.put(selected.digest, kept)
        return kept

    def table(self, selected: Selected) -> FrameTable:
        """Return where the frames of an object lie.

        Raises
        ------
        PixelsUnreadable
            If it has none, or they are damaged.
        """
        table = self._tables.get(selected.digest)
        if table is None:
            kept = self.header(selected)
            with self.open(selected) as (file, _):
                table = table_of(file, kept)
            self._tables.put(selected.digest, table)
        return table

    def stored_frame(self, selected: Selected, number: int) -> bytes:
        """Return a frame (1 = the first) as it is stored."""
        table = self.table(selected)
        with self.open(selected) as (file, _):
            return table.read(file, number)

    def decoded_frame(self, selected: Selected, number: int) -> NDArray[Any]:
        """Return a frame (1 = the first): stored grey values, or red, green and blue.

        Raises
        ------
        PixelsUnreadable
            If it cannot be decoded.
        """
        if is_encapsulated(selected.transfer_syntax_uid):
            return self.uncompressing.frame(self._storage, selected, number)
        table, kept = self.table(selected), self.header(selected)
        with self.open(selected) as (file, _):
            return decode_frame(file, kept, table, number)


async def _objects_of(request: Request) -> KeptObjects:
    objects: KeptObjects = request.app.state.objects
    return objects


#: A route's parameter: the kept objects.
ObjectsParameter = Annotated[KeptObjects, Depends(_objects_of)]
