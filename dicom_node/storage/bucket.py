"""A bucket of an object store that speaks S3: the one file that calls the library for it."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from io import BufferedReader
from typing import TYPE_CHECKING, BinaryIO, Final, cast
from urllib.parse import urlsplit
from uuid import uuid4

import obstore
from obstore.store import S3Store

from core.errors import RecordNotFound
from dicom_node.errors import StorageAway
from dicom_node.storage.bucket_faults import named_bucket_faults
from dicom_node.storage.remote_file import RemoteFile

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config

#: Read first of each object: with it comes how long it is, and most headers end in it.
_HEAD_BYTES: Final = 1 << 16
#: Read at a time after that.
_BUFFER_BYTES: Final = 1 << 20
#: Parts of a large object on their way at once, of 5 MiB each: bounds the memory of one upload.
_PARTS_AT_ONCE: Final = 4
#: A device waits for its answer meanwhile: shorter than the time-outs devices come with.
_PATIENCE: Final = timedelta(seconds=10)
_RETRY: Final["RetryConfig"] = {
    "max_retries": 6,
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=2)},
    "retry_timeout": _PATIENCE,
}
#: Of what only asks whether it answers: monitors ask often and wait briefly.
_RETRY_ASKING: Final["RetryConfig"] = {**_RETRY, "max_retries": 1}
_CONNECT_TIMEOUT: Final = timedelta(seconds=3)
_REQUEST_TIMEOUT: Final = timedelta(seconds=30)
_ASKING_TIMEOUT: Final = timedelta(seconds=5)


class Bucket:
    """The objects below a prefix of a bucket, immutable as those of a folder.

    Parameters
    ----------
    url
        `s3://BUCKET/PREFIX`.
    endpoint
        Address of the object store; empty for Amazon's. Credentials and region are the
        environment's.
    """

    def __init__(self, url: str, endpoint: str = "") -> None:
        self._store = _open(url, endpoint, _REQUEST_TIMEOUT, _RETRY)
        self._asking = _open(url, endpoint, _ASKING_TIMEOUT, _RETRY_ASKING)

    def put(self, key: str, file: BinaryIO) -> None:
        """Write an object, over whatever stands there; it is visible when it is whole.

        The errors are those of `open`.
        """
        with named_bucket_faults():
            obstore.put(self._store, key, file, max_concurrency=_PARTS_AT_ONCE)

    @contextmanager
    def open(self, key: str) -> Generator[BinaryIO]:
        """Open an object for reading; only what is read is fetched.

        Raises
        ------
        RecordNotFound
            If there is none under that key.
        ObjectUnreadable
            If this object is not given out.
        StorageAway
            If the bucket does not answer, or says no.
        """
        size_bytes, head = self._begin(key)
        raw = RemoteFile(size_bytes, head, lambda start, end: self._fetch(key, start, end))
        with BufferedReader(raw, _BUFFER_BYTES) as file:
            yield cast("BinaryIO", file)

    def exists(self, key: str) -> bool:
        """Whether there is an object under that key."""
        try:
            self._begin(key)
        except RecordNotFound:
            return False
        return True

    def delete(self, key: str) -> None:
        """Remove an object for good; nothing happens where there is none."""
        with named_bucket_faults():
            obstore.delete(self._store, key)

    def reach(self) -> None:
        """Ask whether the bucket answers us.

        Raises
        ------
        StorageAway
            If it does not.
        """
        try:
            with named_bucket_faults():
                obstore.get_range(self._asking, f"health/{uuid4().hex}", start=0, end=1)
        except RecordNotFound:
            return

    def try_out(self) -> None:
        """Write, read and remove an object.

        Raises
        ------
        StorageAway
            If one of them cannot be done.
        """
        key, content = f"health/{uuid4().hex}", b"ready"
        with named_bucket_faults():
            obstore.put(self._asking, key, content)
            found = bytes(obstore.get(self._asking, key).bytes())
            obstore.delete(self._asking, key)
        if found != content:
            raise StorageAway("The bucket gave back other bytes than were written")

    def _begin(self, key: str) -> tuple[int, bytes]:
        """Return how long an object is, and its first bytes."""
        with named_bucket_faults():
            found = obstore.get(self._store, key, options={"range": (0, _HEAD_BYTES)})
            return found.meta["size"], bytes(found.bytes())

    def _fetch(self, key: str, start: int, end: int) -> memoryview:
        with named_bucket_faults():
            return memoryview(obstore.get_range(self._store, key, start=start, end=end))


def _open(url: str, endpoint: str, timeout: timedelta, retry: "RetryConfig") -> S3Store:
    parts = urlsplit(url)
    # Not every store that speaks S3 removes many objects by one request.
    config: S3Config = {"disable_bulk_delete": True}
    options: ClientConfig = {"connect_timeout": _CONNECT_TIMEOUT, "timeout": timeout}
    if endpoint:
        config["endpoint"] = endpoint
        # Of this machine only: the settings refuse another.
        options["allow_http"] = urlsplit(endpoint).scheme == "http"
    with named_bucket_faults():
        return S3Store(
            parts.netloc,
            prefix=parts.path.strip("/") or None,
            config=config,
            client_options=options,
            retry_config=retry,
        )
