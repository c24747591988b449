"""What a page says and shows where an answer comes late, or does not come."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from arcuate.waiting import wait_until
from core.database import Database
from core.keys import Role, create_key
from core.values.identity import InstanceIdentity, PatientIdentity
from core.values.laterality import Laterality
from tests.browser.clinic import keep, sign_in
from tests.builders.archive import keep_patient, keep_prediction
from tests.builders.prediction import build_prediction

# What a page shows does not depend on the database; one is enough here.
pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


def keep_right(database: Database, number: int) -> None:
    with database.transaction() as session:
        source = InstanceIdentity("1.2", "1.3", f"1.99.{number}")
        keep_prediction(session, build_prediction(prediction_id=f"right{number}", source=source))


def test_list_never_shows_what_was_asked_for_before_the_last_choice(
    page: Page, database: Database, faults: list[str]
) -> None:
    sign_in(page, keep(database))
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


def test_node_that_stops_is_told(page: Page, database: Database) -> None:
    sign_in(page, keep(database))
    expect(page.locator("#stale")).to_be_hidden()

    page.context.set_offline(True)
    page.evaluate("soon()")

    expect(page.locator("#stale")).to_be_visible()
    page.context.set_offline(False)
    page.evaluate("soon()")
    expect(page.locator("#stale")).to_be_hidden()


def test_browser_whose_session_ended_is_asked_to_sign_in(page: Page, database: Database) -> None:
    sign_in(page, keep(database))

    page.context.clear_cookies()
    page.evaluate("soon()")

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_node_that_hangs_is_told(page: Page, database: Database) -> None:
    sign_in(page, keep(database))
    assert wait_until(lambda: page.evaluate("stream.readyState === EventSource.OPEN"), 60)
    page.route("**/live", lambda _: None)

    # Its connection looks alive: only what it is asked for shows that it is not.
    page.evaluate("htmx.config.timeout = 500; lastAsked = -60000")

    expect(page.locator("#stale")).to_be_visible()
    page.unroute("**/live")
    page.evaluate("soon()")
    expect(page.locator("#stale")).to_be_hidden()


def test_half_typed_day_keeps_no_choice_from_being_followed(page: Page, database: Database) -> None:
    sign_in(page, keep(database))
    page.get_by_label("Came from").press_sequentially("01")
    assert page.evaluate("document.getElementById('since').validity.badInput")

    page.get_by_label("Eye", exact=True).select_option("L")

    expect(page.get_by_role("row", name="Right eye")).to_have_count(0)
    expect(page.get_by_role("row", name="Left eye")).to_have_count(1)


def test_choice_among_older_scans_leads_back_to_a_list_that_follows(
    page: Page, database: Database
) -> None:
    key = keep(database)
    for number in range(51):
        keep_right(database, number)
    sign_in(page, key)
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_role("heading", name="Older scans")).to_be_visible()

    page.get_by_label("Eye", exact=True).select_option("L")

    expect(page.get_by_role("heading", name="Live", exact=True)).to_be_visible()
    expect(page.get_by_label("Eye", exact=True)).to_have_value("L")
    expect(page.locator("tbody tr")).to_have_count(1)
    with database.transaction() as session:
        source = InstanceIdentity("1.2", "1.3", "1.98")
        another = build_prediction(prediction_id="l2", source=source, laterality=Laterality.LEFT)
        keep_prediction(session, another)
    expect(page.locator("tbody tr")).to_have_count(2)


def test_scans_of_a_name_are_gone_through_to_the_oldest(page: Page, database: Database) -> None:
    key = keep(database)
    for number in range(51):
        keep_right(database, number)
    sign_in(page, key)
    page.get_by_label("Name or ID").fill("sample")
    page.get_by_label("Eye", exact=True).select_option("R")
    expect(page).to_have_url(re.compile(r"eye=R$"))

    page.get_by_role("button", name="Older").click()

    expect(page.get_by_role("heading", name="Older scans")).to_be_visible()
    # Of 52 right eyes 50 stand on the first page.
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.get_by_label("Name or ID")).to_have_value("sample")


def test_patients_of_a_former_search_do_not_stay_where_the_next_fails(
    page: Page, database: Database
) -> None:
    key = keep(database)
    with database.transaction() as session:
        keep_patient(session, PatientIdentity("X-1", "Clinic", "Xu^Li"))
    sign_in(page, key)
    page.goto("/patients")
    page.get_by_label("Name").fill("xu")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("1 found")

    page.context.set_offline(True)
    page.get_by_label("Name").fill("sample")
    page.keyboard.press("Enter")

    expect(page.get_by_role("alert")).to_contain_text("That was not done")
    expect(page.get_by_role("link", name="Xu, Li")).to_have_count(0)
    page.context.set_offline(False)
    page.context.clear_cookies()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_key_enter_beside_another_number_means_an_amendment(page: Page, database: Database) -> None:
    keep(database)
    with database.transaction() as session:
        key = create_key(session, "dr-ito", Role.CLINICIAN)
    sign_in(page, key)
    page.goto("/predictions/left")

    page.get_by_label("MD instead, dB").fill("-12.5")
    page.keyboard.press("Enter")

    expect(page.get_by_text("Amended by dr-ito")).to_be_visible()
    expect(page.get_by_text("MD −12.5 dB")).to_be_visible()
