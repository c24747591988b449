"""The settings of those who come over HTTP from elsewhere."""

from typing import Annotated, Final

from pydantic import BaseModel, Field, field_validator

#: Any origin.
ANY_ORIGIN: Final = "*"
_SCHEMES: Final = ("http://", "https://")


class WebSettings(BaseModel):
    """How we are reached from outside, and by whose pages."""

    public_url: Annotated[
        str,
        Field(
            description="Where clients reach us, as `https://arcuate.example`, for addresses in "
            "DICOMweb answers; empty: scheme and host each request came to."
        ),
    ] = ""
    cors_origins: Annotated[
        str,
        Field(
            description="Origins whose pages may read DICOMweb, separated by commas, as "
            "`https://viewer.example`; `*` for any; empty: none."
        ),
    ] = ""

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, value: str) -> str:
        if value and not value.startswith(_SCHEMES):
            raise ValueError("public_url must begin with http:// or https://")
        return value.rstrip("/")

    @field_validator("cors_origins")
    @classmethod
    def _check_cors_origins(cls, value: str) -> str:
        for origin in _split(value):
            is_origin = origin.startswith(_SCHEMES) and origin.count("/") == 2
            if origin != ANY_ORIGIN and not is_origin:
                raise ValueError(f"{origin!r} is no origin: scheme and host, without a path")
        return value

    @property
    def allowed_origins(self) -> frozenset[str]:
        """The origins of `cors_origins`."""
        return frozenset(_split(self.cors_origins))


def _split(value: str) -> list[str]:
    return [origin.strip() for origin in value.split(",") if origin.strip()]
