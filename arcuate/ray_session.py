"""A Ray that this process started for itself, or a cluster that it joins by address."""

import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from arcuate.errors import WrongUse
from inference.process_pool import processors

#: Of a Ray of our own: what lies in it is small, because no pixels do.
_OBJECT_STORE_BYTES: Final = 256 << 20
#: Read when Ray is imported. Whoever reaches an open Ray may run anything, so it asks for a token;
#: and it tells its makers nothing of this place.
_GUARDS: Final = {"RAY_AUTH_MODE": "token", "RAY_USAGE_STATS_ENABLED": "0"}


class RayMissing(WrongUse):
    """The engine `ray` needs the extra of that name: install it from requirements/ray.lock."""


@dataclass(frozen=True)
class RayOptions:
    """How to use Ray.

    Attributes
    ----------
    address
        Of a cluster, as `ray.init` takes it; None starts one here, reachable from here alone.
    actors
        Processes that hold the network and predict.
    gpus
        GPUs of each of them, 0 for none; a share where several use one.
    """

    address: str | None = None
    actors: int = 1
    gpus: float = 0.0


@contextmanager
def ray_session(options: RayOptions) -> Iterator[Any]:
    """Yield the library, connected.

    Raises
    ------
    RayMissing
        If it is not installed.
    """
    ray = _guarded_ray(options)
    if options.address is None:
        ray.init(
            num_cpus=processors(),
            object_store_memory=_OBJECT_STORE_BYTES,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="ERROR",
            # What it would find for itself is the address that others reach this machine by.
            _node_ip_address="127.0.0.1",
        )
    else:
        ray.init(address=options.address, log_to_driver=False, logging_level="ERROR")
    try:
        yield ray
    finally:
        ray.shutdown()


def _guarded_ray(options: RayOptions) -> Any:
    for name, value in _GUARDS.items():
        os.environ.setdefault(name, value)
    if options.address is None:
        # Its own, so that nobody else's processes are let in.
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    try:
        import ray  # noqa: PLC0415 - an extra, and read only where it is asked for
        import ray.data  # noqa: PLC0415
    except ImportError as error:
        raise RayMissing from error
    # Its plans and warnings are for those who write pipelines.
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    return ray
