"""Every router of DICOMweb; each needs a key, and an unlisted one is not served."""

from typing import Final

from fastapi import APIRouter

from api.dicomweb import (
    qido,
    stow,
    wado_bulkdata,
    wado_frames,
    wado_instances,
    wado_metadata,
    wado_rendered,
    wado_thumbnail,
)

ROUTERS: Final[tuple[APIRouter, ...]] = (
    stow.ROUTER,
    qido.ROUTER,
    wado_instances.ROUTER,
    wado_metadata.ROUTER,
    wado_frames.ROUTER,
    wado_rendered.ROUTER,
    wado_thumbnail.ROUTER,
    wado_bulkdata.ROUTER,
)
