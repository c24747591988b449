"""Opening the bytes of a node, in a folder or in a bucket."""

from core.errors import SettingsInvalid
from core.settings import Settings
from dicom_node.storage.bytes import Storage


def open_storage(settings: Settings) -> Storage:
    """Return the storage these settings name.

    Raises
    ------
    SettingsInvalid
        If it is a bucket, and what talks to one is not installed.
    """
    if not settings.is_bucket:
        return Storage(settings.storage)
    return open_described(
        settings.storage,
        settings.storage_folder,
        settings.storage_endpoint,
        is_buffering=settings.storage_buffer,
        buffer_bytes=settings.storage_buffer_bytes,
    )


def open_described(
    url: str,
    folder: str = "",
    endpoint: str = "",
    *,
    is_buffering: bool = False,
    buffer_bytes: int = 0,
) -> Storage:
    """Return a storage by what `Storage.describe` says; what is not said is for who receives."""
    if not folder:
        return Storage(url)
    try:
        from dicom_node.storage.bucket import Bucket  # noqa: PLC0415 - only where one is used
        from dicom_node.storage.bucket_storage import (  # noqa: PLC0415
            BucketStorage,
            Buffering,
        )
    except ModuleNotFoundError as error:
        raise SettingsInvalid(
            "storage_url = s3://… needs the extra s3: install requirements/s3.lock, or obstore"
        ) from error
    described = {"url": url, "folder": folder, "endpoint": endpoint}
    buffering = Buffering(is_buffering, buffer_bytes)
    return BucketStorage(Bucket(url, endpoint), folder, described, buffering)
