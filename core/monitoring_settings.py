"""The settings of what monitors are told."""

from typing import Annotated

from pydantic import BaseModel, Field


class MonitoringSettings(BaseModel):
    """Who may read metrics, and where traces go."""

    metrics_need_key: Annotated[
        bool,
        Field(description="Whether `/metrics` needs a key, as everything but `/health` does."),
    ] = False
