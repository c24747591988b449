"""The settings of what computes."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator


class ExecutorSettings(BaseModel):
    """Where the networks run for the processes that score."""

    executor: Annotated[
        Literal["inprocess", "kserve-v2"],
        Field(
            description="What computes for `arcuate infer`: `inprocess`, the process itself; "
            "`kserve-v2`, a server of the Open Inference Protocol (KServe, Triton, another node)."
        ),
    ] = "inprocess"
    executor_url: Annotated[
        str,
        Field(description="With `kserve-v2`: where it is, as `https://triton.example:8000`."),
    ] = ""
    executor_key_file: Annotated[
        str,
        Field(description="File of the key that is shown there as a bearer token; empty: none."),
    ] = ""
    executor_ca: Annotated[
        str,
        Field(
            description="PEM file of authorities its certificate may be signed by, besides those "
            "of the system."
        ),
    ] = ""
    executor_seconds: Annotated[
        float, Field(gt=0, le=600, description="How long one of its answers may take.")
    ] = 30.0

    @model_validator(mode="after")
    def _check_executor(self) -> Self:
        is_remote = self.executor == "kserve-v2"
        if is_remote and not self.executor_url.startswith(("http://", "https://")):
            raise ValueError(
                "executor = kserve-v2 needs executor_url, which begins with http:// or https://"
            )
        return self
