"""What `ARCUATE_DEVICE` asks for, as each runtime reads it."""

from collections.abc import Callable

from inference.errors import DeviceUnavailable


def choose_gpu(device: str, count_gpus: Callable[[], int], library: str) -> int | None:
    """Return the number of the GPU to run on, None for the processor.

    Parameters
    ----------
    device
        `auto`, `cpu`, `gpu` or `gpu:N`.
    count_gpus
        Says how many GPUs the library sees; not called for `cpu`, as asking takes some of them.

    Raises
    ------
    DeviceUnavailable
        If the device is none of these, or not there.
    """
    kind, colon, number = device.partition(":")
    if device == "cpu":
        return None
    if device == "auto":
        return 0 if count_gpus() else None
    if kind != "gpu" or (colon and not number.isdecimal()):
        raise DeviceUnavailable(f"{device!r} is no device; use auto, cpu, gpu or gpu:N.")
    index, count = int(number or "0"), count_gpus()
    if index >= count:
        raise DeviceUnavailable(
            f"{library} sees {count} GPUs, so {device} is not there. Check the driver and that "
            "the GPU build is installed, or set ARCUATE_DEVICE to auto or cpu."
        )
    return index
