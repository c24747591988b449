"""A person's path through the pages, in a real browser."""

import re
from collections.abc import Iterator
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, Route, expect

from arcuate.waiting import wait_until
from core.database import Database
from core.deliveries.destinations import add_destination, find_destination
from core.keys import Role, create_key
from core.settings import Settings
from core.values.identity import InstanceIdentity
from core.values.laterality import Laterality
from core.values.prediction import ESTIMATE_NOTICE, PredictionStatus
from dicom_node.storage.bytes import Storage
from tests.builders.archive import keep_prediction
from tests.builders.prediction import Loss, build_prediction
from tests.fixtures.http_server import http_server

# What a page shows does not depend on the database; one is enough here.
pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]

_PREVIEW = "previews/ab/scan.png"


@pytest.fixture
def faults() -> list[str]:
    """What the browser complained of: blocked by the policy, broken scripts, failed requests."""
    return []


@pytest.fixture
def page(
    browser: Browser, settings: Settings, database: Database, faults: list[str]
) -> Iterator[Page]:
    storage = Storage(settings.storage)
    picture = BytesIO()
    Image.fromarray(np.full((496, 768), 90, np.uint8)).save(picture, "PNG")
    storage.put(_PREVIEW, picture.getvalue())
    locked = settings.model_copy(update={"auth": "keys"})
    with http_server(locked, database, storage) as url:
        context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 900})
        opened = context.new_page()
        opened.on("console", lambda message: _note(faults, message))
        opened.on("pageerror", lambda error: faults.append(str(error)))
        opened.on("requestfailed", lambda request: _note_failure(faults, request))
        yield opened
        context.close()


def _note(faults: list[str], message: ConsoleMessage) -> None:
    # Whoever types on takes back what was asked for the letters before.
    is_taken_back = message.text.startswith(("htmx:sendAbort,", "htmx:afterRequest,"))
    if message.type in {"error", "warning"} and not is_taken_back:
        faults.append(message.text)


def _note_failure(faults: list[str], request: Request) -> None:
    # A page that is left ends its stream of events.
    is_taken_back = request.url.endswith(("/v1/events", "/live"))
    if not (is_taken_back and "ABORTED" in str(request.failure)):
        faults.append(request.url)


def _keep(database: Database) -> str:
    """Keep a left eye with a loss and a scan without an estimate; return an API key."""
    with database.transaction() as session:
        left = build_prediction(prediction_id="left", laterality=Laterality.LEFT, loss=Loss.ARCUATE)
        keep_prediction(session, left, _PREVIEW)
        refused = build_prediction(
            prediction_id="refused",
            source=InstanceIdentity("1.2", "1.3", "1.4"),
            status=PredictionStatus.NOT_ASSESSABLE,
        )
        keep_prediction(session, refused)
        return create_key(session, "browser")


def _sign_in(page: Page, key: str) -> None:
    page.goto("/")
    page.get_by_label("API key").fill(key)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Live", exact=True)).to_be_visible()
    # Only then have its scripts run.
    page.wait_for_load_state("load")


def _tab_to(page: Page, wanted: Locator) -> None:
    for _ in range(20):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError("the keyboard does not reach it")


def test_person_finds_every_part_of_a_result(
    page: Page, database: Database, faults: list[str]
) -> None:
    _sign_in(page, _keep(database))

    page.get_by_role("row", name="Left eye").get_by_role("link", name="Sample, Eye").click()

    expect(page.get_by_role("note")).to_have_text("ESTIMATED from OCT, not measured")
    expect(page.get_by_role("heading", name="Sample, Eye")).to_be_visible()
    expect(page.get_by_text("Left eye (OS)", exact=True)).to_be_visible()
    for drawing in ("Estimated sensitivity in dB", "Nerve fibre layer thickness"):
        expect(page.get_by_role("group", name=drawing)).to_be_visible()
    for drawing in (
        "Drawing of a retina",
        "Grey scale map",
        "Difference from the age norm",
        "Pattern deviation in dB",
        "Borders found",
        "B-scan along the circle",
    ):
        expect(page.get_by_role("img", name=drawing)).to_be_visible()
    picture = page.locator(".bscan img")
    assert picture.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [768, 496]
    expect(page.get_by_role("link", name="Structured report")).to_be_visible()
    expect(page.get_by_role("contentinfo")).to_have_text(ESTIMATE_NOTICE)
    assert faults == []


def test_numbers_stand_where_the_patient_sees_them(page: Page, database: Database) -> None:
    _sign_in(page, _keep(database))
    page.goto("/predictions/left")

    blind = page.locator(".numbers .blind").bounding_box()
    axis = page.locator(".numbers .axis").bounding_box()

    assert blind is not None
    assert axis is not None
    assert blind["x"] + blind["width"] < axis["x"] + axis["width"] / 2


def test_reader_can_hide_the_borders(page: Page, database: Database) -> None:
    _sign_in(page, _keep(database))
    page.goto("/predictions/left")
    borders = page.get_by_role("img", name="Borders found")

    page.get_by_label("Show the borders that were found").uncheck()

    expect(borders).to_be_hidden()


def test_refusal_is_explained(page: Page, database: Database) -> None:
    _sign_in(page, _keep(database))

    page.goto("/predictions/refused")

    expect(page.get_by_role("heading", name="Why there is no estimate")).to_be_visible()
    expect(page.get_by_text("Scan the eye again")).to_be_visible()
    expect(page.locator("svg.field")).to_have_count(0)


def test_keyboard_alone_reaches_a_result_and_its_table(page: Page, database: Database) -> None:
    _sign_in(page, _keep(database))
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()

    for label in ("Name or ID", "Eye"):
        page.keyboard.press("Tab")
        expect(page.get_by_label(label, exact=True)).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="Sample, Eye")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"/\?eye=L$"))

    _tab_to(page, page.get_by_role("link", name="Sample, Eye"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sample, Eye")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Eye", exact=True)).to_have_value("L")
    expect(page.get_by_role("link", name="Sample, Eye")).to_have_count(1)

    page.goto("/predictions/left")
    page.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("rowheader", name="54", exact=True)).to_be_visible()


def test_new_result_appears_by_itself(page: Page, database: Database, faults: list[str]) -> None:
    _sign_in(page, _keep(database))
    expect(page.locator("tbody tr")).to_have_count(2)
    assert wait_until(lambda: page.evaluate("stream.readyState === EventSource.OPEN"), 60)

    with database.transaction() as session:
        source = InstanceIdentity("1.2", "1.3", "1.99")
        keep_prediction(session, build_prediction(prediction_id="third", source=source))

    # Sooner than the list would be asked for at its intervals of ten seconds.
    expect(page.locator("tbody tr")).to_have_count(3, timeout=9_000)
    assert faults == []


def test_list_never_shows_what_was_asked_for_before_the_last_choice(
    page: Page, database: Database, faults: list[str]
) -> None:
    _sign_in(page, _keep(database))
    assert wait_until(lambda: page.evaluate("stream.readyState === EventSource.OPEN"), 60)
    late: list[Route] = []

    def delay(route: Route) -> None:
        """Hold back what the list asks for by itself while right eyes are chosen."""
        is_own = route.request.headers["hx-trigger"] == "results"
        if is_own and "eye=R" in (route.request.post_data or ""):
            late.append(route)
        else:
            route.continue_()

    page.route("**/live", delay)
    page.get_by_label("Eye", exact=True).select_option("R")
    expect(page.get_by_role("row", name="Left eye")).to_have_count(0)
    with database.transaction() as session:
        source = InstanceIdentity("1.2", "1.3", "1.99")
        keep_prediction(session, build_prediction(prediction_id="third", source=source))
    # Asking the browser lets what it intercepted come in.
    assert wait_until(lambda: page.evaluate("true") and len(late) == 1, 60)

    page.get_by_label("Eye", exact=True).select_option("L")
    expect(page.get_by_role("row", name="Right eye")).to_have_count(0)
    answer = late[0].fetch()
    late[0].fulfill(response=answer)
    page.evaluate("new Promise(done => setTimeout(done, 500))")
    expect(page.get_by_role("row", name="Left eye")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"/\?eye=L$"))
    assert faults == []


@pytest.mark.parametrize("path", ["/", "/predictions/left", "/predictions/refused"])
def test_page_fits_a_phone(page: Page, database: Database, path: str) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    _sign_in(page, _keep(database))

    page.goto(path)

    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_list_that_changes_keeps_the_readers_place(page: Page, database: Database) -> None:
    _sign_in(page, _keep(database))
    assert wait_until(lambda: page.evaluate("stream.readyState === EventSource.OPEN"), 60)
    left = page.get_by_role("row", name="Left eye").get_by_role("link", name="Sample, Eye")
    left.focus()

    with database.transaction() as session:
        source = InstanceIdentity("1.2", "1.3", "1.99")
        keep_prediction(session, build_prediction(prediction_id="third", source=source))

    expect(page.locator("tbody tr")).to_have_count(3)
    expect(left).to_be_focused()


def test_name_finds_without_getting_into_the_address(
    page: Page, database: Database, faults: list[str]
) -> None:
    _sign_in(page, _keep(database))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.get_by_label("Name or ID").press_sequentially("nobody")

    expect(page.get_by_role("heading", name="No scan is like that")).to_be_visible()
    page.get_by_label("Name or ID").fill("p-0001")
    expect(page.locator("tbody tr")).to_have_count(2)
    assert [url for url in (page.url, *asked) if "nobody" in url or "p-0001" in url] == []
    assert faults == []


def test_node_that_stops_is_told(page: Page, database: Database) -> None:
    _sign_in(page, _keep(database))
    expect(page.locator("#stale")).to_be_hidden()

    page.context.set_offline(True)
    page.evaluate("soon()")

    expect(page.locator("#stale")).to_be_visible()
    page.context.set_offline(False)
    page.evaluate("soon()")
    expect(page.locator("#stale")).to_be_hidden()


def test_browser_whose_session_ended_is_asked_to_sign_in(page: Page, database: Database) -> None:
    _sign_in(page, _keep(database))

    page.context.clear_cookies()
    page.evaluate("soon()")

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_clinician_rejects_a_result_and_everybody_sees_it(
    page: Page, database: Database, faults: list[str]
) -> None:
    _keep(database)
    with database.transaction() as session:
        key = create_key(session, "dr-ito", Role.CLINICIAN)
    _sign_in(page, key)
    page.goto("/predictions/left")

    page.get_by_label("Comment, needed to reject").fill("Disc drusen.")
    page.get_by_role("button", name="Reject").click()

    expect(page.get_by_role("note").first).to_contain_text("REJECTED")
    expect(page.get_by_text("Rejected by dr-ito")).to_be_visible()
    expect(page.get_by_text("Disc drusen.", exact=True)).to_be_visible()
    assert faults == []


def test_viewer_may_ask_for_a_review_and_not_decide(page: Page, database: Database) -> None:
    _sign_in(page, _keep(database))
    page.goto("/predictions/left")
    expect(page.get_by_role("button", name="Reject")).to_have_count(0)

    page.get_by_role("button", name="Ask for a review").click()

    expect(page.get_by_text("A review is asked for by browser")).to_be_visible()


def test_operator_turns_a_destination_off_on_the_page(page: Page, database: Database) -> None:
    with database.transaction() as session:
        add_destination(session, "pacs", "folder", "/share")
        key = create_key(session, "operator", Role.OPERATOR)
    _sign_in(page, key)
    page.goto("/deliveries")

    page.get_by_role("button", name="Turn off: pacs").click()

    expect(page.get_by_role("button", name="Turn on: pacs")).to_be_visible()
    with database.reading() as session:
        assert not find_destination(session, "pacs").enabled
