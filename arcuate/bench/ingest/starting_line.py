"""How a worker process of a measurement waits for its start and tells its result.

Plan on standard input, `ready` back, `go` in, times or a failure back: one line each.
"""

import json
import sys
from collections.abc import Callable
from typing import Final

from arcuate.bench.ingest.pdu import SendFailed
from arcuate.bench.ingest.send_plan import SendPlan, Timed

READY: Final = "ready"
GO: Final = "go"
FAILURE: Final = "failure"

#: Prepares everything and returns what is to be timed.
Prepare = Callable[[SendPlan], Callable[[], Timed]]


def run_worker(prepare: Prepare) -> None:
    """Do one plan; a failure is told, not raised."""
    try:
        run = prepare(SendPlan.from_json(sys.stdin.readline()))
        _say(READY)
        if sys.stdin.readline().strip() == GO:
            _say(run().to_json())
    except (SendFailed, OSError) as error:
        _say(json.dumps({FAILURE: str(error)}))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
