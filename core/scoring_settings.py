"""The settings of what computes the fields."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field


class ScoringSettings(BaseModel):
    """On what the models run, and in how many processes."""

    device: Annotated[
        str,
        Field(pattern=r"^(auto|cpu|gpu(:\d+)?)$", description="`auto`, `cpu`, `gpu` or `gpu:N`."),
    ] = "auto"
    workers: Annotated[
        Literal["auto"] | Annotated[int, Field(ge=1, le=64)],
        Field(
            description="Processes that score; `auto`: one for each GPU where device is `auto` or "
            "`gpu`, else one."
        ),
    ] = "auto"
    cpu_runtime: Annotated[
        Literal["tensorflow", "onnx", "auto"],
        Field(
            description="What runs a Keras file on the processor: `tensorflow` (Keras on the "
            "library of KERAS_BACKEND), `onnx` (ONNX Runtime, where it gives the same fields), or "
            "`auto`, the faster of them."
        ),
    ] = "tensorflow"
