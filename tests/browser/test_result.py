"""What lights up together on the page of a result, by pointer, by keyboard and by touch."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from core.database import Database
from core.settings import Settings
from core.tables.predictions import PredictionRow
from core.values.circle_course import CircleCourse
from core.values.fundus_place import FundusPlace, FundusSource
from core.values.identity import InstanceIdentity
from core.values.laterality import Laterality
from core.values.prediction import Prediction
from core.values.scan import Device
from dicom_node.storage.bytes import Storage
from tests.builders.archive import keep_prediction
from tests.builders.prediction import Loss, build_prediction
from tests.fixtures.http_server import http_server

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]

_PREVIEW, _FUNDUS = "previews/ab/scan.png", "previews/cd/fundus.jpg"
_NOW = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
#: Upper nasal point of the field, whose fibres enter the lower temporal disc.
_POINT = '[data-point="12"]'
_AXE_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture
def url(settings: Settings, database: Database) -> Iterator[str]:
    storage = Storage(settings.storage)
    for key, form, size in ((_PREVIEW, "PNG", (496, 768)), (_FUNDUS, "JPEG", (640, 640))):
        written = BytesIO()
        Image.fromarray(np.full(size, 90, np.uint8)).save(written, form)
        storage.put(key, written.getvalue())
    for eye in Laterality:
        _keep(database, _result(eye))
        _keep(database, _earlier(eye, 1, Device("Other", "Scanner", "SN-9")))
        _keep(database, _earlier(eye, 2, Device("Maker", "Scanner", "SN-1")))
    with http_server(settings, database, storage) as address:
        yield address


def _result(eye: Laterality) -> Prediction:
    column = 420.0 if eye is Laterality.RIGHT else 220.0
    return build_prediction(
        prediction_id=f"now-{eye}",
        laterality=eye,
        loss=Loss.ARCUATE,
        source=InstanceIdentity("1.2", "1.3", f"1.4.{eye}"),
        acquired_at=_NOW,
        fundus=FundusPlace(FundusSource.LOCALIZER, 640, 640, 300, column, 128, 21.33, True),
        course=CircleCourse(0.0, 360 / 768),
    )


def _earlier(eye: Laterality, number: int, device: Device) -> Prediction:
    return build_prediction(
        prediction_id=f"before{number}-{eye}",
        laterality=eye,
        source=InstanceIdentity("1.2", "1.3", f"1.5.{eye}.{number}"),
        acquired_at=_NOW - timedelta(days=100 * number),
        device=device,
    )


def _keep(database: Database, prediction: Prediction) -> None:
    with database.transaction() as session:
        keep_prediction(session, prediction, _PREVIEW)
        session.get_one(PredictionRow, prediction.prediction_id).fundus_key = _FUNDUS


@pytest.fixture
def context(browser: Browser, url: str) -> Iterator[BrowserContext]:
    opened = browser.new_context(base_url=url, viewport={"width": 1280, "height": 1000})
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def _centre(page: Page, selector: str) -> tuple[float, float]:
    box = page.locator(selector).first.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@pytest.mark.parametrize("eye", list(Laterality))
def test_point_lights_its_fibres_up_on_retina_profile_and_scan(page: Page, eye: Laterality) -> None:
    page.goto(f"/predictions/now-{eye}")
    assert page.locator(".lit").count() == 0

    page.locator(f".point{_POINT}").hover()

    expect(page.locator(".arc.lit")).to_have_count(1)
    expect(page.locator(f".fundus .seen.lit{_POINT}")).to_have_count(1)
    expect(page.locator(f".profile .place.lit{_POINT}")).to_have_count(1)
    expect(page.locator(f".bscan .place.lit{_POINT}")).to_have_count(1)
    expect(page.locator(f".spot.lit{_POINT}")).to_have_count(4)
    expect(page.locator("[data-readout]")).to_contain_text("Fibres enter the disc at 285° ± 9°")
    # The upper field is below on the retina, on the temple's side of the disc in both.
    point, dot = _centre(page, f".point{_POINT}"), _centre(page, f".fundus .seen{_POINT}")
    axis, disc = _centre(page, ".numbers .axis"), _centre(page, ".fundus .circle")
    assert point[1] < axis[1]
    assert dot[1] > disc[1]
    is_left_of = eye is Laterality.RIGHT
    assert (point[0] < axis[0]) is is_left_of
    assert (dot[0] < disc[0]) is is_left_of


def test_interval_stands_beside_the_point(page: Page) -> None:
    page.goto("/predictions/now-R")

    page.locator(f".point{_POINT}").hover()

    expect(page.locator(".tip")).to_have_text("7 dB · 1–12")
    page.get_by_role("heading", name="Sample, Eye").hover()
    expect(page.locator(".tip")).to_be_hidden()
    expect(page.locator("[data-readout]")).to_be_hidden()
    expect(page.locator(".lit")).to_have_count(0)


def test_dot_on_the_retina_lights_its_point_up(page: Page) -> None:
    page.goto("/predictions/now-L")

    page.locator(f".fundus .reach{_POINT}").hover()

    expect(page.locator(f".point.lit{_POINT}")).to_have_count(1)


def test_sector_of_the_profile_lights_its_points_up(page: Page) -> None:
    page.goto("/predictions/now-R")
    sector = page.locator('.stretch[data-stretch="TI"] rect')

    sector.hover()

    points = page.locator('.point[data-sector="TI"]').count()
    assert points > 5
    expect(page.locator(".point.lit")).to_have_count(points)
    expect(page.locator(".arc.lit")).to_have_count(points)
    expect(page.locator('.bscan .place.lit[data-stretch="TI"]')).to_have_count(1)
    expect(page.locator("[data-readout]")).to_contain_text("inferotemporal sector (TI)")


def test_keyboard_does_what_the_pointer_does(page: Page) -> None:
    page.goto("/predictions/now-R")
    first = page.locator(".point").first
    first.focus()
    expect(page.locator(".point[tabindex='0']")).to_have_count(1)

    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")

    expect(page.locator('.point[data-point="5"]')).to_be_focused()
    expect(page.locator('.arc.lit[data-point="5"]')).to_have_count(1)
    expect(page.locator(".tip")).to_be_visible()

    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator(".point[aria-pressed='true']")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(".lit")).to_have_count(0)
    expect(page.locator(".point[aria-pressed='true']")).to_have_count(0)


def test_sectors_are_walked_by_keyboard_too(page: Page) -> None:
    page.goto("/predictions/now-R")
    page.locator(".stretch").first.focus()

    page.keyboard.press("ArrowRight")

    expect(page.locator('.stretch[data-stretch="TS"]')).to_be_focused()
    expect(page.locator('.point.lit[data-sector="TS"]').first).to_be_visible()


def test_finger_keeps_a_point_lit_until_it_is_pressed_again(browser: Browser, url: str) -> None:
    context = browser.new_context(
        base_url=url, viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.goto("/predictions/now-R")

    page.locator(f".point{_POINT}").tap()
    expect(page.locator(f".point{_POINT}")).to_have_attribute("aria-pressed", "true")
    page.locator(".profile").scroll_into_view_if_needed()
    expect(page.locator(f".profile .place.lit{_POINT}")).to_have_count(1)
    expect(page.locator("[data-readout]")).to_be_in_viewport()

    page.locator(f".point{_POINT}").tap()
    expect(page.locator(f".point{_POINT}")).to_have_attribute("aria-pressed", "false")
    context.close()


def test_reader_compares_with_an_earlier_result(page: Page) -> None:
    page.goto("/predictions/now-R")
    expect(page.get_by_text("in 200 days")).to_be_visible()
    expect(page.get_by_text("Not alike")).to_have_count(0)

    page.get_by_label("Compare with").select_option("before1-R")
    page.get_by_role("button", name="Compare").click()

    expect(page.get_by_text("in 100 days")).to_be_visible()
    expect(page.get_by_text("Another device: Other Scanner SN-9 then")).to_be_visible()
    page.locator(f".point{_POINT}").hover()
    expect(page.locator(f".difference .spot.lit{_POINT}")).to_have_count(1)


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("Page to file (.pdf)", b"%PDF"),
        ("Picture (.png)", b"\x89PNG"),
        ("Picture (.svg)", b"<svg"),
        ("FHIR (.json)", b"Bundle"),
        ("Data (.json)", b"sensitivities"),
        ("Points (.csv)", b"estimated_sensitivity_db"),
        ("Fundus (.jpg)", b"\xff\xd8"),
    ],
)
def test_reader_downloads_every_form(page: Page, name: str, ending: bytes) -> None:
    page.goto("/predictions/now-L")

    address = page.get_by_role("link", name=name, exact=True).get_attribute("href")

    answer = page.request.get(str(address))
    assert answer.ok
    assert ending in answer.body()[:4000]


def test_page_says_the_same_without_its_script(browser: Browser, url: str) -> None:
    context = browser.new_context(base_url=url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/predictions/now-R")

    expect(page.locator(".point[role='button']")).to_have_count(0)
    expect(page.locator("[data-hint]")).to_be_hidden()
    page.locator("summary").click()
    row = page.locator("tr[data-point='12']")
    expect(row).to_contain_text("285°")
    expect(row).to_contain_text("1–12")
    expect(page.get_by_text("in 200 days")).to_be_visible()
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh_Hant"])
def test_lit_page_can_be_read_by_everybody(
    context: BrowserContext, page: Page, url: str, language: str, theme: str
) -> None:
    for name, value in {"language": language, "theme": theme}.items():
        context.add_cookies([{"name": name, "value": value, "url": url}])
    page.goto("/predictions/now-L?compare=before1-L")
    page.locator("summary").click()
    page.locator(f".point{_POINT}").click()

    found = Axe().run(page, options=_AXE_RULES).response

    assert len(found["passes"]) > 20
    told = [(v["id"], [str(n["html"])[:160] for n in v["nodes"][:3]]) for v in found["violations"]]
    assert told == []
