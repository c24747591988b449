"""What libraries load where it is installed, and no node uses."""

import sys
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def left_out(*packages: str) -> Generator[None]:
    """Within the block, importing one of these fails as if it were not installed.

    A package that is loaded already stays. No other thread may import one meanwhile.
    """
    absent = [package for package in packages if package not in sys.modules]
    # With None in its place an import raises ModuleNotFoundError.
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for package in absent:
            del sys.modules[package]
