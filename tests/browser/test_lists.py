"""A person's path through patients, trends, callers and peers, in a real browser."""

import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pynetdicom import AE
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from core.database import Database
from core.keys import Role, create_key
from core.settings import Settings
from core.tables.columns import key_of
from core.worker import Worker
from dicom_node.calling_errors import AssociationRejected
from dicom_node.delivery.echoing import EchoStep
from dicom_node.peers import add_peer
from dicom_node.scu.echo import echo
from dicom_node.storage.bytes import Storage
from tests.builders.archive import keep_patient
from tests.builders.visits import PATIENT, keep_visits
from tests.fixtures.dicom_server import running_node
from tests.fixtures.http_server import http_server

# What a page shows does not depend on the database; one is enough here.
pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]

#: The machine may be busy.
_PATIENCE_MILLISECONDS = 60_000


@pytest.fixture
def page(browser: Browser, settings: Settings, database: Database) -> Iterator[Page]:
    locked = settings.model_copy(update={"auth": "keys"})
    with database.transaction() as session:
        key = create_key(session, "operator", Role.OPERATOR)
    with http_server(locked, database, Storage(settings.storage)) as url:
        context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 900})
        context.set_default_timeout(_PATIENCE_MILLISECONDS)
        expect.set_options(timeout=_PATIENCE_MILLISECONDS)
        opened = context.new_page()
        faults: list[str] = []
        opened.on("pageerror", lambda error: faults.append(str(error)))
        opened.on(
            "console",
            lambda message: faults.append(message.text) if message.type == "error" else None,
        )
        opened.goto("/login")
        opened.fill("input[name=key]", key)
        opened.click("main button[type=submit]")
        yield opened
        context.close()
        assert faults == []


def test_trend_over_five_visits_is_found_with_the_keyboard_and_read(
    page: Page, database: Database
) -> None:
    with database.transaction() as session:
        names = keep_visits(session)
        key = key_of(keep_patient(session, PATIENT))
        # Kept without going through the door that folds it.
        keep_patient(session, PATIENT).name_alphabetic = "sample^eye"
    page.goto("/patients")

    # The name has the focus; what is searched for is in no address.
    page.keyboard.type("eye sample")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("1 found")
    assert page.url.endswith("/patients")
    page.get_by_role("link", name="Sample, Eye").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/patients/{key}")

    right = page.get_by_role("region", name="Right eye (OD)")
    expect(right).to_contain_text("−0.68 dB/year 95 % interval −0.87 to −0.49")
    drawing = right.get_by_role("group", name="Mean deviation (estimated), Right eye (OD)")
    marks = drawing.get_by_role("link")
    expect(marks).to_have_count(5)
    boxes = [marks.nth(number).bounding_box() for number in range(5)]
    places = [(box["x"], box["y"]) for box in boxes if box is not None]
    # Later is to the right, and worse is lower.
    assert places == sorted(places)
    assert [y for _, y in places] == sorted(y for _, y in places)
    expect(marks.first).to_have_attribute("aria-label", "2019-03-04: −2.0 dB")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    marks.last.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/predictions/{names[-1]}")


def test_refused_caller_is_allowed_by_a_click_and_then_accepted(
    page: Page, settings: Settings, database: Database
) -> None:
    with running_node(settings, database) as node:
        with pytest.raises(AssociationRejected):
            echo(node.address, "NEWOCT")
        page.goto("/callers")
        row = page.get_by_role("row").filter(has_text="NEWOCT")
        expect(row).to_contain_text("Not known at this address")

        row.get_by_role("button", name="Allow: NEWOCT").click()

        expect(row).to_contain_text("Allowed")
        # The same receiver, which nobody told.
        assert echo(node.address, "NEWOCT") > 0
        with pytest.raises(AssociationRejected):
            echo(node.address, "ANOTHER")


def test_peer_is_asked_by_a_click_and_its_answer_comes_by_itself(
    page: Page, settings: Settings, database: Database
) -> None:
    entity = AE("PACS")
    entity.add_supported_context(Verification)
    server = entity.start_server(("127.0.0.1", 0), block=False)
    with database.transaction() as session:
        add_peer(session, "PACS", "127.0.0.1", server.socket.getsockname()[1])
    page.goto("/devices")

    page.get_by_role("button", name="Ask: PACS").click()
    expect(page.get_by_text("Being asked")).to_be_visible()
    step = EchoStep(database, settings.ae_title)
    assert Worker(database, settings, step, threading.Event()).run_once() == 1

    expect(page.get_by_role("row").filter(has_text="PACS")).to_contain_text(" ms, ")
    server.shutdown()


def test_peer_is_removed_only_when_confirmed(page: Page, database: Database) -> None:
    with database.transaction() as session:
        add_peer(session, "OCT1", "192.0.2.7")
    page.goto("/devices")
    remove = page.get_by_role("button", name="Remove: OCT1")

    page.once("dialog", lambda dialog: dialog.dismiss())
    remove.click()
    expect(page.get_by_role("rowheader", name="OCT1")).to_be_visible()
    page.once("dialog", lambda dialog: dialog.accept())
    remove.click()

    expect(page.get_by_text("No peers yet")).to_be_visible()
