"""What a user builds from well-known parts: asks Orthanc for its changes and predicts each scan.

`python -m arcuate.bench.scoring.plain_scorer URL FILE` adds a line to the file for each result. The
preparation is ours, so that only the way around it differs.
"""

import io
import sys
import time
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
from pydicom import dcmread

from core.settings import Settings
from dicom_node.devices.input_class import is_oct_scan
from inference.examination import examine
from inference.loading import scoring_cards
from inference.model_card import ModelCard, ModelKind
from inference.runtimes.keras_file import read_keras
from inference.runtimes.ports import AGE_INPUT
from inference.stored_scan import StoredScan

#: As the samples of Orthanc's manual.
POLL_SECONDS: Final = 1.0
_CHANGES_AT_ONCE: Final = 100


def main() -> None:
    """Score whatever comes, until ended."""
    url, results = sys.argv[1], Path(sys.argv[2])
    card = scoring_cards(Settings())[ModelKind.PROFILE]
    network = read_keras(card.weights_path)
    # A connection for each request: Orthanc ends those that idle, which a request may meet.
    alone = httpx.Limits(max_keepalive_connections=0)
    with (
        httpx.Client(base_url=url, timeout=60, limits=alone) as orthanc,
        results.open("a") as lines,
    ):
        since = 0
        while True:
            parameters = {"since": since, "limit": _CHANGES_AT_ONCE}
            answer = orthanc.get("/changes", params=parameters).raise_for_status().json()
            for change in answer["Changes"]:
                if change["ChangeType"] == "NewInstance":
                    file = orthanc.get(f"/instances/{change['ID']}/file").raise_for_status()
                    lines.write(score(file.content, card, network))
                    lines.flush()
            since = answer["Last"]
            if answer["Done"]:
                time.sleep(POLL_SECONDS)


def score(content: bytes, card: ModelCard, network: Any) -> str:
    """Return the line of a scan: its UID and its field in dB; nothing of another object."""
    dataset = dcmread(io.BytesIO(content))
    if not is_oct_scan(dataset.SOPClassUID):
        return ""
    found = examine(StoredScan(dataset), {card.kind: card.trained_age_range_years}).input
    if found is None:
        return f"{dataset.SOPInstanceUID}\n"
    profile_um, age_years = found
    first = card.inputs[0]
    inputs = {
        first.name: profile_um.reshape(1, *first.shape),
        AGE_INPUT: np.array([[age_years]], np.float32),
    }
    field_db = network.predict(inputs, verbose=0)[0]
    return f"{dataset.SOPInstanceUID} {' '.join(map(str, np.ravel(field_db)))}\n"


if __name__ == "__main__":
    main()
