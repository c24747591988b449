"""The settings of what monitors are told."""

from typing import Annotated

from pydantic import BaseModel, Field, field_validator


class MonitoringSettings(BaseModel):
    """Who may read metrics, and where traces go."""

    metrics_need_key: Annotated[
        bool,
        Field(description="Whether `/metrics` needs a key, as everything but `/health` does."),
    ] = False
    otlp_endpoint: Annotated[
        str,
        Field(
            description="OpenTelemetry collector that is told each scan's way (OTLP over HTTP), as "
            "`http://127.0.0.1:4318`; empty: none. Needs the extra `trace`."
        ),
    ] = ""

    @field_validator("otlp_endpoint")
    @classmethod
    def _check_otlp_endpoint(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("otlp_endpoint must begin with http:// or https://")
        return value
