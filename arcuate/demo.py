"""The demo: a throw-away node, real associations, and what came back, kept as files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from sqlmodel import col, select

from arcuate.demo_expectations import Expectation
from arcuate.demo_models import activate_other_kinds
from arcuate.demo_page import save_page
from arcuate.node import Node
from arcuate.throwaway import throwaway_node
from arcuate.waiting import wait_until
from core.errors import NodeError
from core.tables.jobs import JobRow, JobStatus
from dicom_node.peers import PeerAddress
from dicom_node.scu.store import send

CALLING_AE_TITLE: Final = "DEMODEVICE"
#: Longest wait for all results in seconds.
PATIENCE_SECONDS: Final = 180.0
_SAVED: Final = ("report.dcm", "document.pdf", "picture.png", "page.html")


class DemoFailed(NodeError):
    """A sample could not be sent, or its result did not come."""


@dataclass(frozen=True)
class DemoResult:
    """What came of one scan. Paths are None where there is no such form."""

    source: str
    scan_kind: str | None
    laterality: str | None
    status: str
    reasons: list[str]
    mean_deviation_db: float | None
    report: str | None
    document: str | None
    picture: str | None
    page: str | None
    expected: str | None
    as_expected: bool | None


def run_demo(
    paths: Sequence[Path], expectations: Mapping[str, Expectation], home: Path, results: Path
) -> list[DemoResult]:
    """Send DICOM files to a throw-away node and save what comes back.

    Parameters
    ----------
    paths
        Files and folders to send.
    expectations
        By SOP Instance UID, what must come of it; empty for scans of one's own.
    home
        The node's folder.
    results
        Where report, picture and page of each eye are saved.

    Raises
    ------
    DemoFailed
        If an object was refused or a result did not come in time.
    """
    with throwaway_node(home, CALLING_AE_TITLE) as running:
        activate_other_kinds(running.node)
        _clear(results)
        sources = _send(paths, running.peer)
        _wait_for_results(running.node)
        return _collect(running.client, sources, expectations, results)


def _clear(results: Path) -> None:
    """Remove what an earlier demo saved there, and nothing else."""
    for saved in _SAVED:
        for path in results.glob(f"[0-9][0-9]-*/{saved}"):
            path.unlink()
    for folder in results.glob("[0-9][0-9]-*"):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _send(paths: Sequence[Path], peer: PeerAddress) -> dict[str, str]:
    """Send everything and return the file of each SOP Instance UID."""
    # A folder of one's own may hold other files too; they have no UID and are left out.
    sent = [result for result in send(paths, peer, CALLING_AE_TITLE) if result.sop_instance_uid]
    refused = [f"{result.path}: {result.message}" for result in sent if not result.is_kept]
    if refused or not sent:
        raise DemoFailed("Not taken: " + ("; ".join(refused) or "there was no DICOM file"))
    return {result.sop_instance_uid: str(result.path) for result in sent}


def _wait_for_results(node: Node) -> None:
    unsettled = (JobStatus.QUEUED, JobStatus.RUNNING)

    def settled() -> bool:
        with node.database.reading() as session:
            return not session.exec(select(JobRow).where(col(JobRow.status).in_(unsettled))).all()

    if not wait_until(settled, PATIENCE_SECONDS):
        raise DemoFailed(f"Not every result came within {PATIENCE_SECONDS:.0f} s")


def _collect(
    client: httpx.Client,
    sources: Mapping[str, str],
    expectations: Mapping[str, Expectation],
    results: Path,
) -> list[DemoResult]:
    found: list[DemoResult] = []
    # A kept node may hold results of earlier runs, of other scans.
    predictions = [p for p in _predictions(client) if p["sop_instance_uid"] in sources]
    for prediction in predictions:
        uid = prediction["sop_instance_uid"]
        folder = results / _folder_name(len(found) + 1, prediction)
        folder.mkdir(parents=True, exist_ok=True)
        found.append(_keep(client, prediction, sources[uid], expectations.get(uid), folder))
    missing = {uid for uid, e in expectations.items() if e.makes_prediction} & set(sources)
    missing -= {p["sop_instance_uid"] for p in predictions}
    if missing:
        raise DemoFailed(f"No result for {', '.join(sources[uid] for uid in missing)}")
    return found


def _predictions(client: httpx.Client) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        answer = client.get("/v1/predictions", params={"cursor": cursor} if cursor else {})
        answer.raise_for_status()
        page = answer.json()
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            return items[::-1]


def _folder_name(number: int, prediction: Mapping[str, Any]) -> str:
    eye = {"R": "right", "L": "left", None: "unknown-eye"}[prediction["laterality"]]
    return f"{number:02d}-{eye}-{prediction['status'].replace('_', '-')}"


def _keep(
    client: httpx.Client,
    prediction: Mapping[str, Any],
    source: str,
    expectation: Expectation | None,
    folder: Path,
) -> DemoResult:
    address = f"/v1/predictions/{prediction['id']}"
    indices = prediction.get("indices") or {}
    return DemoResult(
        source=source,
        scan_kind=prediction["scan_kind"],
        laterality=prediction["laterality"],
        status=prediction["status"],
        reasons=[reason["code"] for reason in prediction.get("reasons") or []],
        mean_deviation_db=indices.get("mean_deviation"),
        report=_save(client, f"{address}/report.dcm", folder / "report.dcm"),
        document=_save(client, f"{address}/report.pdf", folder / "document.pdf"),
        picture=_save(client, f"{address}/report.png", folder / "picture.png"),
        page=save_page(client, f"/predictions/{prediction['id']}", folder / "page.html"),
        expected=expectation.text if expectation else None,
        as_expected=expectation.is_met(prediction) if expectation else None,
    )


def _save(client: httpx.Client, address: str, path: Path) -> str:
    answer = client.get(address)
    answer.raise_for_status()
    path.write_bytes(answer.content)
    return str(path)
