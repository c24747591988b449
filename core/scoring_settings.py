"""The settings of what computes the fields."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field

from core.processors import processors

#: Stands for as many processes as the machine suggests.
AUTOMATIC: Final = -1


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
    preparation_processes: Annotated[
        int,
        Field(
            ge=AUTOMATIC,
            le=256,
            description="Processes that read and measure scans for the one that predicts; -1: as "
            "many as there are processors; 0: it does so itself. As many again, and at least one, "
            "while an archive is scored anew.",
        ),
    ] = AUTOMATIC

    @property
    def preparation_processes_used(self) -> int:
        """The number of processes with its default filled in."""
        if self.preparation_processes == AUTOMATIC:
            return processors()
        return self.preparation_processes
