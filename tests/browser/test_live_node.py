"""A scan on its way: from a real association to the page somebody is looking at."""

from pathlib import Path
from time import monotonic

import pytest
from playwright.sync_api import Browser, expect

from arcuate.demo_expectations import samples_folder
from arcuate.throwaway import throwaway_node
from arcuate.waiting import wait_until
from dicom_node.scu.store import send

pytestmark = pytest.mark.browser

#: Of a machine that does much else; what it takes is printed.
_PATIENCE_MILLISECONDS = 120_000


def test_scan_appears_by_itself_and_then_its_result(browser: Browser, tmp_path: Path) -> None:
    with throwaway_node(tmp_path, "OCT1") as running:
        page = browser.new_page(base_url=str(running.client.base_url))
        page.goto("/")
        expect(page.get_by_role("heading", name="No scans yet")).to_be_visible()
        assert wait_until(lambda: page.evaluate("stream.readyState === EventSource.OPEN"), 120)

        page.evaluate("window.sameDocument = true")
        (sent,) = send([samples_folder() / "healthy" / "right_oct.dcm"], running.peer, "OCT1")
        sent_at = monotonic()
        assert sent.is_kept
        row = page.locator("tbody tr")
        expect(row).to_have_count(1, timeout=_PATIENCE_MILLISECONDS)
        print(f"shown {monotonic() - sent_at:.2f} s after it was kept")  # noqa: T201

        expect(row.locator(".chip.final")).to_be_visible(timeout=_PATIENCE_MILLISECONDS)
        print(f"estimated {monotonic() - sent_at:.2f} s after it was kept")  # noqa: T201
        assert page.evaluate("window.sameDocument")
        page.close()
