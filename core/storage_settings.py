"""The settings of where bytes lie: a folder of ours, or a bucket of an object store."""

import re
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, field_validator

_GIB: Final = 1 << 30
#: The bucket, then the folder in it: what every store that speaks S3 takes.
_BUCKET_URL: Final = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._-]+)*/?")


class StorageSettings(BaseModel):
    """Where instances and reports lie, and what becomes of them while a bucket is away."""

    storage_url: Annotated[
        str,
        Field(
            description="`file://PATH` or `s3://BUCKET/PREFIX`; empty: the folder `instances` in "
            "home. A bucket needs the extra `s3`; its credentials are the environment's (AWS_…)."
        ),
    ] = ""
    storage_endpoint: Annotated[
        str,
        Field(
            description="Address of the object store, as `https://s3.hospital.example`; empty: "
            "Amazon's. Without TLS on this machine only."
        ),
    ] = ""
    storage_buffer: Annotated[
        bool,
        Field(
            description="Whether a store is answered Success once the object is safe on this "
            "machine's disk and goes to the bucket afterwards; off: once it is read back from the "
            "bucket."
        ),
    ] = False
    storage_buffer_gib: Annotated[
        float,
        Field(
            ge=0,
            description="What may wait for the bucket with storage_buffer, GiB; beyond it stores "
            "are answered A700. 0: until minimum_free_mib.",
        ),
    ] = 0.0

    @field_validator("storage_url")
    @classmethod
    def _check_storage_url(cls, value: str) -> str:
        if not value or value.startswith("file://"):
            return value
        if not _BUCKET_URL.fullmatch(value):
            raise ValueError(
                "storage_url must begin with file://, or be s3://BUCKET/PREFIX in plain letters; "
                "credentials are set in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)"
            )
        return value.rstrip("/")

    @field_validator("storage_endpoint")
    @classmethod
    def _check_storage_endpoint(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in {"http", "https"} or not parts.hostname):
            raise ValueError("storage_endpoint must begin with https:// and name a host")
        return value

    @property
    def is_bucket(self) -> bool:
        """Whether bytes lie in a bucket."""
        return self.storage_url.startswith("s3://")

    @property
    def storage_buffer_bytes(self) -> int:
        """What may wait for the bucket; 0 for no limit."""
        return int(self.storage_buffer_gib * _GIB)
