"""Pictures of every page, to be looked at: in both looks, every language and on a phone.

    python -m tests.browser.screenshots FOLDER

A throw-away node receives the sample scans by DICOM, scores them and shows its pages.
"""

import sys
import tempfile
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from shutil import which
from typing import Final

from playwright.sync_api import Browser, sync_playwright
from sqlmodel import col, select

from api.dashboard.languages import LANGUAGES
from arcuate.demo_expectations import samples_folder
from arcuate.demo_models import activate_other_kinds
from arcuate.node import Node
from arcuate.throwaway import throwaway_node
from arcuate.waiting import wait_until
from core.keys import Role, create_key
from core.tables.instances import InstanceRow
from core.tables.jobs import JobRow, JobStatus
from core.tables.predictions import PredictionRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow
from core.values.prediction import PredictionStatus
from core.values.scan import ScanKind
from dicom_node.scu.store import send
from tests.browser.conftest import QUIET
from tests.browser.reader import Choice, reader, session_of
from tests.browser.site import SITE
from tests.builders.site import keep_operations, keep_visitor
from tests.fixtures.http_server import http_server

_DEVICE: Final = "DEMODEVICE"
_PATIENCE_SECONDS: Final = 300.0
_WIDTHS: Final = (1280, 390)


def main() -> None:
    """Take the pictures."""
    if len(sys.argv) != 2:
        sys.exit("python -m tests.browser.screenshots FOLDER")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="arcuate-pages-") as home,
        throwaway_node(Path(home), _DEVICE) as running,
        sync_playwright() as playwright,
    ):
        activate_other_kinds(running.node)
        sent = list(send([samples_folder()], running.peer, _DEVICE))
        print(f"{len(sent)} files sent; waiting for their results", file=sys.stderr)  # noqa: T201
        _wait_for_results(running.node)
        browser = playwright.chromium.launch(executable_path=which("chromium"), args=QUIET)
        _take(browser, running.node, folder)
        browser.close()


def _wait_for_results(node: Node) -> None:
    open_ones = col(JobRow.status).in_((JobStatus.QUEUED, JobStatus.RUNNING))

    def settled() -> bool:
        with node.database.reading() as session:
            return session.exec(select(JobRow).where(open_ones)).first() is None

    if not wait_until(settled, _PATIENCE_SECONDS):
        sys.exit("Not every sample was scored in time")


def _take(browser: Browser, node: Node, folder: Path) -> None:
    names = _names(node)
    with node.database.transaction() as session:
        keep_operations(session)
        visitor = str(keep_visitor(session))
        key = create_key(session, "reader", Role.ADMINISTRATOR)
    locked = node.settings.model_copy(update={"auth": "keys"})
    with http_server(locked, node.database, node.storage) as url:
        signed_in = session_of(url, key)
        for choice in _choices():
            for shown in SITE:
                session_cookie = None if shown.is_open else signed_in
                with reader(browser, url, session_cookie, choice) as page:
                    page.goto(shown.path.format(**names, visitor=visitor), wait_until="load")
                    page.screenshot(path=folder / f"{shown.name}-{choice}.png", full_page=True)


def _choices() -> Iterator[Choice]:
    for language, theme, width in product(LANGUAGES, ("light", "dark"), _WIDTHS):
        yield Choice(language, theme, width)


def _names(node: Node) -> Mapping[str, str]:
    """Return what the paths of pages name, from the results there are."""
    with node.database.reading() as session:
        rows = session.exec(select(PredictionRow)).all()
    oct_scans = [row for row in rows if row.scan_kind == ScanKind.CIRCLE]
    final = [row for row in oct_scans if row.status == PredictionStatus.FINAL]
    worst = min(final, key=lambda row: row.mean_deviation_db or 0.0)
    refused = next(row for row in rows if row.status == PredictionStatus.NOT_ASSESSABLE)
    studies = select(StudyRow.patient_key).join(SeriesRow).join(InstanceRow)
    with node.database.reading() as session:
        patient = session.exec(studies.where(col(InstanceRow.id) == worst.instance_key)).one()
    photograph = next(row for row in rows if row.scan_kind == ScanKind.FUNDUS)
    return {
        "estimated": worst.id,
        "refused": refused.id,
        "rejected": final[0].id,
        "photograph": photograph.id,
        "patient": str(patient),
    }


if __name__ == "__main__":
    main()
