import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from core.database import Database
from core.reviews import record_review
from core.settings import Settings
from core.tables.predictions import PredictionRow
from core.values.circle_course import CircleCourse
from core.values.fundus_place import FundusPlace, FundusSource
from core.values.identity import InstanceIdentity, PatientIdentity
from core.values.laterality import Laterality
from core.values.prediction import ESTIMATE_NOTICE, ModelIdentity, Prediction, PredictionStatus
from core.values.review import ReviewDecision, ReviewDraft
from core.values.scan import Device, ScanKind
from dicom_node.storage.bytes import Storage
from tests.builders.archive import keep_prediction
from tests.builders.prediction import POINTS_DEGREE, Loss, build_prediction
from tests.fixtures.http_server import http_server
from tests.fixtures.parsed_page import ParsedPage

_PREVIEW = "previews/ab/scan.png"
_FUNDUS = "previews/cd/fundus.jpg"
_FORMS = (
    "",
    "/report.dcm",
    "/report.pdf",
    "/report.fhir.json",
    "/report.png",
    "/report.svg",
    "/points.csv",
    "/fundus.jpg",
)
_NOW = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[httpx.Client]:
    storage = Storage(settings.storage)
    storage.put(_PREVIEW, _picture("PNG", (768, 496)))
    storage.put(_FUNDUS, _picture("JPEG", (640, 640)))
    with (
        http_server(settings, database, storage) as url,
        httpx.Client(timeout=60, base_url=url, headers={"Accept": "text/html"}) as opened,
    ):
        yield opened


def _picture(form: str, size: tuple[int, int]) -> bytes:
    written = BytesIO()
    Image.fromarray(np.full(size[::-1], 90, np.uint8)).save(written, form)
    return written.getvalue()


def _place(eye: Laterality) -> FundusPlace:
    """Return the place of a circle on a picture of 30° whose disc lies nasal of its middle."""
    column = 420.0 if eye is Laterality.RIGHT else 220.0
    return FundusPlace(FundusSource.LOCALIZER, 640, 640, 300.0, column, 128.0, 21.33, True)


def _keep(database: Database, prediction: Prediction, preview: str | None = _PREVIEW) -> httpx.URL:
    with database.transaction() as session:
        keep_prediction(session, prediction, preview)
        if prediction.fundus is not None:
            row = session.get_one(PredictionRow, prediction.prediction_id)
            row.fundus_key = _FUNDUS
    return httpx.URL(f"/predictions/{prediction.prediction_id}")


def _whole(eye: Laterality = Laterality.RIGHT, **changes: Any) -> Prediction:
    """Return an arcuate loss with all that is known of its scan."""
    values: dict[str, Any] = {
        "prediction_id": "now",
        "acquired_at": _NOW,
        "fundus": _place(eye),
        "course": CircleCourse(0.0, 360 / 768),
    }
    return build_prediction(laterality=eye, loss=Loss.ARCUATE, **{**values, **changes})


def _earlier(number: int, **changes: Any) -> Prediction:
    values: dict[str, Any] = {
        "prediction_id": f"before{number}",
        "source": InstanceIdentity(f"1.2.{number}", f"1.3.{number}", f"1.4.{number}"),
        "acquired_at": _NOW - timedelta(days=100 * number),
    }
    return build_prediction(**{**values, **changes})


@pytest.mark.parametrize("eye", list(Laterality))
def test_result_shows_all_its_parts(
    client: httpx.Client, database: Database, eye: Laterality
) -> None:
    page = ParsedPage(client.get(_keep(database, _whole(eye))))

    drawings = ("field numbers", "fundus", "field grey", "field deviation", "profile", "places")
    classes = [found.get("class") for tag, found in page.tags if tag == "svg"]
    assert [classes.count(name) for name in drawings] == [1, 1, 1, 2, 1, 1]
    assert len(page.of_class("ilm")) == len(page.of_class("rnfl")) == 3 - 1
    assert len(page.of_class("band")) - 1 == len(page.of_class("curve")) - 1 == 1
    assert {f"/v1/predictions/now{form}" for form in _FORMS} <= page.links()
    for words in ("ESTIMATED from OCT, not measured", ESTIMATE_NOTICE, "sha256:0123456789abcdef"):
        assert words in page.text
    assert ("Right eye (OD)" if eye is Laterality.RIGHT else "Left eye (OS)") in page.text


@pytest.mark.parametrize(("eye", "sign"), [(Laterality.RIGHT, 1), (Laterality.LEFT, -1)])
def test_field_and_retina_stand_as_they_are_seen(
    client: httpx.Client, database: Database, eye: Laterality, sign: int
) -> None:
    """The patient sees the temporal field on its own side, the examiner the disc on the nose's."""
    page = ParsedPage(client.get(_keep(database, _whole(eye))))

    (disc,) = page.of_class("circle")[:1]
    seen = {
        str(found["data-point"]): (float(found["cx"] or 0), float(found["cy"] or 0))
        for found in page.of_class("seen")
    }
    written = {
        str(found["data-point"]): (float(found["data-x"] or 0), float(found["data-y"] or 0))
        for found in page.of_class("point")
    }
    assert float(disc["cx"] or 0) == sign * 15
    assert list(written.values()) == [(sign * x, -y) for x, y in POINTS_DEGREE]
    # What is above in the field is below on the retina; temporal in both means the same side here.
    assert seen == {name: (x, -y) for name, (x, y) in written.items()}


@pytest.mark.parametrize(("eye", "left"), [(Laterality.RIGHT, -4.69), (Laterality.LEFT, -25.31)])
def test_picture_lies_with_its_circle_on_the_disc(
    client: httpx.Client, database: Database, eye: Laterality, left: float
) -> None:
    page = ParsedPage(client.get(_keep(database, _whole(eye))))

    (picture,) = [
        found
        for tag, found in page.tags
        if tag == "image" and found.get("href") == "/v1/predictions/now/fundus.jpg"
    ]
    assert float(picture["x"] or 0) == pytest.approx(left, abs=0.01)
    assert float(picture["y"] or 0) == pytest.approx(-2 - 300 / 21.33, abs=0.01)
    assert float(picture["width"] or 0) == pytest.approx(30, abs=0.01)


def test_upper_point_is_linked_to_the_lower_disc(client: httpx.Client, database: Database) -> None:
    page = ParsedPage(client.get(_keep(database, _whole())))

    (point,) = [found for found in page.of_class("point") if found["data-point"] == "12"]
    bands = [found for found in page.of_class("place") if found.get("data-point") == "12"]

    words = str(point["aria-label"])
    assert "Location 12 at x −15°, y +9°" in words
    assert "Fibres enter the disc at 285° ± 9°, inferotemporal." in words
    assert point["data-sector"] == "TI"
    # On the profile of 1080 units, and in the B-scan of 768 columns.
    centres = [float(b["x"] or 0) + float(b["width"] or 0) / 2 for b in bands]
    assert centres == pytest.approx([284.6 * 3, 284.6 / 360 * 768 + 0.5], abs=0.6)


def test_table_has_what_the_drawings_show_to_others(
    client: httpx.Client, database: Database
) -> None:
    page = ParsedPage(client.get(_keep(database, _whole())))

    rows = [found for tag, found in page.tags if tag == "tr" and "data-point" in found]

    assert len(rows) == 52
    assert "TI 285°" in page.text


def test_result_without_a_picture_says_that_the_retina_is_drawn(
    client: httpx.Client, database: Database
) -> None:
    page = ParsedPage(client.get(_keep(database, _whole(fundus=None))))

    assert "Schematic: no picture of the fundus was kept" in page.text
    assert len(page.of_class("disc")) == 1
    assert len(page.of_class("arc")) == 52 + 1
    assert "/v1/predictions/now/fundus.jpg" not in page.links()


def test_result_whose_picture_is_gone_is_drawn_too(
    client: httpx.Client, database: Database
) -> None:
    path = _keep(database, _whole())
    with database.transaction() as session:
        session.get_one(PredictionRow, "now").fundus_key = "previews/00/lost.jpg"

    page = ParsedPage(client.get(path))

    assert "Schematic: no picture of the fundus was kept" in page.text


def test_result_without_a_course_says_why_the_scan_shows_no_point(
    client: httpx.Client, database: Database
) -> None:
    page = ParsedPage(client.get(_keep(database, _whole(course=None))))

    assert "Which way its columns run was not kept" in page.text
    assert len(page.of_class("places")) == 0


def test_refused_scan_shows_where_it_was_measured(client: httpx.Client, database: Database) -> None:
    refused = replace(
        build_prediction(prediction_id="now", status=PredictionStatus.NOT_ASSESSABLE),
        fundus=_place(Laterality.RIGHT),
    )

    page = ParsedPage(client.get(_keep(database, refused)))

    assert len(page.of_class("fundus")) == 1
    assert len(page.of_class("point")) == 0


def test_result_lies_beside_the_newest_earlier_one_that_is_alike(
    client: httpx.Client, database: Database
) -> None:
    for number in (1, 2, 3):
        other = (
            Device("Other", "Scanner", "SN-9")
            if number == 1
            else Device("Maker", "Scanner", "SN-1")
        )
        _keep(database, _earlier(number, device=other))

    page = ParsedPage(client.get(_keep(database, _whole())))

    chosen = [f["value"] for tag, f in page.tags if tag == "option" and "selected" in f]
    assert chosen == ["before2"]
    assert "in 200 days" in page.text
    assert "Not alike" not in page.text
    assert len(page.of_class("earlier")) == 2


def test_unlike_results_are_never_mixed_in_silence(
    client: httpx.Client, database: Database
) -> None:
    model = ModelIdentity("retinervenet", "0.9.0", "sha256:" + "cd" * 32)
    other = Device("Other", "Scanner", "SN-9")
    _keep(database, _earlier(1, device=other, model=model, scan_kind=ScanKind.VOLUME))
    path = _keep(database, _whole())

    of_itself = ParsedPage(client.get(path))
    asked = ParsedPage(client.get(path, params={"compare": "before1"}))

    assert "Change of the MD" not in of_itself.text
    for words in (
        "Not alike",
        "Another device: Other Scanner SN-9 then, Maker Scanner SN-1 now.",
        "Another model: retinervenet 0.9.0 (cdcdcdcd) then, retinervenet 1.0.0 (01234567) now.",
        "Another kind of scan.",
    ):
        assert words in asked.text


def test_only_earlier_results_of_this_eye_can_be_chosen(
    client: httpx.Client, database: Database
) -> None:
    _keep(database, _earlier(1, laterality=Laterality.LEFT))
    _keep(database, _earlier(2, patient=PatientIdentity("P-0002", "Clinic", "Other", None, "M")))
    _keep(database, _earlier(3, status=PredictionStatus.NOT_ASSESSABLE))
    _keep(database, _earlier(4, acquired_at=_NOW + timedelta(days=1)))
    _keep(database, _earlier(5))
    with database.transaction() as session:
        record_review(session, "before5", ReviewDraft(ReviewDecision.REJECT, "dr", "Blink."), _NOW)
    path = _keep(database, _whole())

    page = ParsedPage(client.get(path))
    answers = [client.get(path, params={"compare": f"before{number}"}) for number in range(1, 6)]

    assert "Beside an earlier result" not in page.text
    assert {answer.status_code for answer in answers} == {404}


def test_comparison_can_be_put_away(client: httpx.Client, database: Database) -> None:
    _keep(database, _earlier(1))
    path = _keep(database, _whole())

    page = ParsedPage(client.get(path, params={"compare": "none"}))

    assert "Change of the MD" not in page.text
    assert "Compare with" in page.text


@pytest.mark.parametrize("eye", list(Laterality))
def test_points_come_as_a_table_for_a_spreadsheet(
    client: httpx.Client, database: Database, eye: Laterality
) -> None:
    prediction = _whole(eye)
    _keep(database, prediction)
    assert prediction.estimate is not None

    answer = client.get("/v1/predictions/now/points.csv")

    rows = list(csv.DictReader(io.StringIO(answer.text)))
    sign = 1 if eye is Laterality.RIGHT else -1
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert [(float(row["x_degree"]), float(row["y_degree"])) for row in rows] == [
        (sign * x, y) for x, y in POINTS_DEGREE
    ]
    values = [float(row["estimated_sensitivity_db"]) for row in rows]
    assert values == pytest.approx(prediction.estimate.sensitivities_db.tolist(), abs=1e-3)


def test_result_without_an_estimate_has_no_points(client: httpx.Client, database: Database) -> None:
    _keep(database, build_prediction(prediction_id="now", status=PredictionStatus.NOT_ASSESSABLE))

    assert client.get("/v1/predictions/now/points.csv").status_code == 404
    assert client.get("/v1/predictions/now/fundus.jpg").status_code == 404
    assert client.get("/predictions/now/grey-scale.png").status_code == 404


def test_page_and_its_pictures_are_light(client: httpx.Client, database: Database) -> None:
    """Of a B-scan full of speckle, with a comparison: the heaviest there is."""
    rng = np.random.default_rng(5)
    speckle = BytesIO()
    Image.fromarray(rng.integers(0, 255, (496, 768), np.uint8)).save(speckle, "PNG")
    _keep(database, _earlier(1))
    path = _keep(database, _whole())

    page = client.get(path)
    parsed = ParsedPage(page)

    wanted = {f[name] for _, f in parsed.tags for name in ("src",) if f.get(name)}
    wanted |= {f["href"] for tag, f in parsed.tags if tag in {"link", "image"}}
    sizes = {str(address): len(client.get(str(address)).content) for address in wanted}
    assert sum(sizes.values()) + len(page.content) < 450_000, sizes
