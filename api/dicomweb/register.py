"""Every router of DICOMweb; each needs a key, and an unlisted one is not served."""

from typing import Final

from fastapi import APIRouter

from api.dicomweb import qido, stow

ROUTERS: Final[tuple[APIRouter, ...]] = (stow.ROUTER, qido.ROUTER)
