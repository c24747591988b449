"""`python -m dicom_node.storage.decoding_process`: decodes what it is told, a line a request.

A request is a JSON object; the answer is one, too: `{}`, or `{"error": …}`. It ends with its input,
so that it never outlives the process that started it.
"""

import json
import os
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from core.errors import NodeError
from dicom_node.devices.attributes import READING_ERRORS
from dicom_node.storage.decoded import decode_frame, write_uncompressed
from dicom_node.storage.frames import table_of
from dicom_node.storage.kept_object import open_content, read_kept_object
from dicom_node.storage.opening import open_described
from dicom_node.storage.part10 import Announced

#: A bucket's connections are used again.
_open: Final = lru_cache(maxsize=8)(open_described)


def answer(request: dict[str, Any]) -> dict[str, str]:
    """Carry a request out; return nothing, or why it could not be done."""
    try:
        _work(request)
    except NodeError as error:
        return {"error": str(error)}
    except READING_ERRORS as error:
        return {"error": f"The object cannot be decoded ({type(error).__name__})"}
    return {}


def _work(request: dict[str, Any]) -> None:
    storage, key = _open(**request["storage"]), request["storage_key"]
    announced = Announced(**request["announced"])
    syntax = announced.transfer_syntax_uid
    with (
        open_content(storage, key, syntax, request["maximum_bytes"]) as (file, start),
        Path(request["target"]).open("wb") as target,
    ):
        if request["frame"]:
            kept = read_kept_object(file, start, syntax)
            frame = decode_frame(file, kept, table_of(file, kept), request["frame"])
            np.save(target, frame, allow_pickle=False)
        else:
            write_uncompressed(file, start, announced, target, request["syntax"])


def main() -> None:
    """Serve until the input ends."""
    # Decoders in C may print: that must not pass for an answer.
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        for line in sys.stdin:
            answers.write(json.dumps(answer(json.loads(line))) + "\n")
            answers.flush()


if __name__ == "__main__":
    main()
