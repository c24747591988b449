"""The routers of the scoring API that need a token; those that give one are open."""

from typing import Final

from fastapi import APIRouter

from api.ibm import assets, deployments, hardware, jobs, scoring, spaces

ROUTERS: Final[tuple[APIRouter, ...]] = (
    spaces.ROUTER,
    hardware.ROUTER,
    assets.ROUTER,
    deployments.ROUTER,
    scoring.ROUTER,
    jobs.ROUTER,
)
