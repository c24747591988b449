"""A person's path through the pages, in a real browser."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from arcuate.waiting import wait_until
from core.database import Database
from core.deliveries.destinations import add_destination, find_destination
from core.keys import Role, create_key
from core.values.identity import InstanceIdentity
from core.values.prediction import ESTIMATE_NOTICE
from tests.browser.clinic import keep, sign_in
from tests.builders.archive import keep_prediction
from tests.builders.prediction import build_prediction

# What a page shows does not depend on the database; one is enough here.
pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


def _tab_to(page: Page, wanted: Locator) -> None:
    for _ in range(20):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError("the keyboard does not reach it")


def test_person_finds_every_part_of_a_result(
    page: Page, database: Database, faults: list[str]
) -> None:
    sign_in(page, keep(database))

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
    sign_in(page, keep(database))
    page.goto("/predictions/left")

    blind = page.locator(".numbers .blind").bounding_box()
    axis = page.locator(".numbers .axis").bounding_box()

    assert blind is not None
    assert axis is not None
    assert blind["x"] + blind["width"] < axis["x"] + axis["width"] / 2


def test_reader_can_hide_the_borders(page: Page, database: Database) -> None:
    sign_in(page, keep(database))
    page.goto("/predictions/left")
    borders = page.get_by_role("img", name="Borders found")

    page.get_by_label("Show the borders that were found").uncheck()

    expect(borders).to_be_hidden()


def test_refusal_is_explained(page: Page, database: Database) -> None:
    sign_in(page, keep(database))

    page.goto("/predictions/refused")

    expect(page.get_by_role("heading", name="Why there is no estimate")).to_be_visible()
    expect(page.get_by_text("Scan the eye again")).to_be_visible()
    expect(page.locator("svg.field")).to_have_count(0)


def test_keyboard_alone_reaches_a_result_and_its_table(page: Page, database: Database) -> None:
    sign_in(page, keep(database))
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
    sign_in(page, keep(database))
    expect(page.locator("tbody tr")).to_have_count(2)
    assert wait_until(lambda: page.evaluate("stream.readyState === EventSource.OPEN"), 60)

    with database.transaction() as session:
        source = InstanceIdentity("1.2", "1.3", "1.99")
        keep_prediction(session, build_prediction(prediction_id="third", source=source))

    # Sooner than the list would be asked for at its intervals of ten seconds.
    expect(page.locator("tbody tr")).to_have_count(3, timeout=9_000)
    assert faults == []


@pytest.mark.parametrize("path", ["/", "/predictions/left", "/predictions/refused"])
def test_page_fits_a_phone(page: Page, database: Database, path: str) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    sign_in(page, keep(database))

    page.goto(path)

    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_list_that_changes_keeps_the_readers_place(page: Page, database: Database) -> None:
    sign_in(page, keep(database))
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
    sign_in(page, keep(database))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.get_by_label("Name or ID").press_sequentially("nobody")

    expect(page.get_by_role("heading", name="No scan is like that")).to_be_visible()
    page.get_by_label("Name or ID").fill("p-0001")
    expect(page.locator("tbody tr")).to_have_count(2)
    assert [url for url in (page.url, *asked) if "nobody" in url or "p-0001" in url] == []
    assert faults == []


def test_clinician_rejects_a_result_and_everybody_sees_it(
    page: Page, database: Database, faults: list[str]
) -> None:
    keep(database)
    with database.transaction() as session:
        key = create_key(session, "dr-ito", Role.CLINICIAN)
    sign_in(page, key)
    page.goto("/predictions/left")

    page.get_by_label("Comment, needed to reject").fill("Disc drusen.")
    page.get_by_role("button", name="Reject").click()

    expect(page.get_by_role("note").first).to_contain_text("REJECTED")
    expect(page.get_by_text("Rejected by dr-ito")).to_be_visible()
    expect(page.get_by_text("Disc drusen.", exact=True)).to_be_visible()
    assert faults == []


def test_viewer_may_ask_for_a_review_and_not_decide(page: Page, database: Database) -> None:
    sign_in(page, keep(database))
    page.goto("/predictions/left")
    expect(page.get_by_role("button", name="Reject")).to_have_count(0)

    page.get_by_role("button", name="Ask for a review").click()

    expect(page.get_by_text("A review is asked for by browser")).to_be_visible()


def test_operator_turns_a_destination_off_on_the_page(page: Page, database: Database) -> None:
    with database.transaction() as session:
        add_destination(session, "pacs", "folder", "/share")
        key = create_key(session, "operator", Role.OPERATOR)
    sign_in(page, key)
    page.goto("/deliveries")

    page.get_by_role("button", name="Turn off: pacs").click()

    expect(page.get_by_role("button", name="Turn on: pacs")).to_be_visible()
    with database.reading() as session:
        assert not find_destination(session, "pacs").enabled
