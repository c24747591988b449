"""What a model said, as the Watson-compatible API tells it."""

from typing import Any, Final

import numpy as np

from core.tensor_scores import TensorsRefused
from core.values.tensors import TensorAnswer

#: Refused rows that are named.
_MOST_NAMED: Final = 5


def predictions_of(answer: TensorAnswer, output: str) -> list[dict[str, Any]]:
    """Return one entry for the output: 52 sensitivities in dB a row, in the order of the rows.

    Parameters
    ----------
    output
        The name of the model's output.

    Raises
    ------
    TensorsRefused
        If a row must not be scored: there is no room to say so of one row alone, and a made-up
        number would be taken for a result.
    """
    if answer.unfit:
        raise TensorsRefused(_told(answer))
    values = np.asarray(answer.sensitivities_db, np.float64)
    return [{"id": output, "values": values.tolist()}]


def _told(answer: TensorAnswer) -> str:
    named = sorted(answer.unfit)[:_MOST_NAMED]
    told = " ".join(f"values[{row}]: {answer.unfit[row].message}" for row in named)
    rest = len(answer.unfit) - len(named)
    return told + (f" And {rest} more rows." if rest else "")
