"""How a picture is wanted: its size, its window, its quality (PS3.18 8.3.5)."""

import math
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

from fastapi import Query

from api.errors import ParameterInvalid
from dicom_node.storage.rendering import Viewport, Window

#: The longer side of a thumbnail that is not asked for in another size, pixels.
THUMBNAIL: Final = 128
#: Far above any screen; bounds what a request can cost.
_LARGEST_SIDE: Final = 4096
_FUNCTIONS: Final = ("linear", "linear-exact", "sigmoid")
_QUALITY: Final = 90


@dataclass(frozen=True)
class RenderingOptions:
    """What the parameters of a request say; None where they say nothing."""

    viewport: Viewport | None = None
    window: Window | None = None
    quality: int = _QUALITY

    def within(self, pixels: int) -> "RenderingOptions":
        """Return the same in a small size, where no size is asked for."""
        return self if self.viewport else replace(self, viewport=Viewport(pixels, pixels))

    def saving(self, media_type: str) -> dict[str, Any]:
        """Return what the writer of pictures is told."""
        return {"quality": self.quality} if media_type == "image/jpeg" else {}


async def read_options(
    viewport: Annotated[
        str | None, Query(description="`width,height` or `width,height,left,top,width,height`.")
    ] = None,
    window: Annotated[
        str | None,
        Query(description="`center,width,function`: linear, linear-exact or sigmoid."),
    ] = None,
    quality: Annotated[int, Query(ge=1, le=100, description="Of JPEG.")] = _QUALITY,
    accept: Annotated[str | None, Query(description="Counts before the header `Accept`.")] = None,
) -> RenderingOptions:
    """Return what the parameters of a request say.

    Raises
    ------
    ParameterInvalid
        If one cannot be understood.
    """
    return RenderingOptions(
        viewport=None if viewport is None else _viewport(viewport),
        window=None if window is None else _window(window),
        quality=quality,
    )


def _viewport(text: str) -> Viewport:
    fields = [field.strip() for field in text.split(",")]
    if len(fields) not in {2, 6}:
        raise ParameterInvalid(
            "viewport", "must be width,height, with a region behind it where wanted"
        )
    width, height = (_whole(field, "viewport", _LARGEST_SIDE) for field in fields[:2])
    if len(fields) == 2:
        return Viewport(width, height)
    left, top = (_whole(field, "viewport", 1 << 16, least=0) for field in fields[2:4])
    columns, rows = (_whole(field, "viewport", 1 << 16) for field in fields[4:])
    return Viewport(width, height, (left, top, columns, rows))


def _window(text: str) -> Window:
    fields = [field.strip() for field in text.split(",")]
    if len(fields) not in {2, 3}:
        raise ParameterInvalid("window", "must be center,width,function")
    try:
        centre, width = (float(field) for field in fields[:2])
    except ValueError:
        raise ParameterInvalid("window", "needs numbers for center and width") from None
    function = fields[2].lower() if len(fields) == 3 else "linear"
    if not (math.isfinite(centre) and math.isfinite(width) and width > 0):
        raise ParameterInvalid("window", "needs numbers for center and width, width above 0")
    if function not in _FUNCTIONS:
        raise ParameterInvalid("window", f"needs as its function one of {', '.join(_FUNCTIONS)}")
    return Window(centre, width, function)


def _whole(text: str, parameter: str, largest: int, least: int = 1) -> int:
    if not (text.isascii() and text.isdigit() and least <= int(text[:9]) <= largest):
        raise ParameterInvalid(parameter, f"needs whole numbers from {least} to {largest}")
    return int(text[:9])
