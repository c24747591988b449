"""What the published OHIF viewer shows of a node, and what it asks of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect
from pydicom import Dataset
from sqlmodel import select

from arcuate.waiting import wait_until
from core.database import Database
from core.keys import create_key
from core.settings import Settings
from core.tables.instances import InstanceRow
from core.tables.reports import ReportRow
from dicom_node.storage.archive import Archive
from dicom_node.storage.retrieve import read_dataset
from reports.report import ReportKind
from tests.browser.conftest import PATIENCE_SECONDS as USUAL_PATIENCE_SECONDS
from tests.browser.shown_image import frames_of, likeness
from tests.browser.viewer import Viewer
from tests.builders.received import open_test_archive
from tests.builders.viewed_study import ViewedStudy, keep_sample, keep_viewed_study
from tests.conftest import miss
from tests.fixtures.http_server import http_server
from tests.fixtures.ohif import ohif_build, serving_ohif

pytestmark = pytest.mark.browser

_COMPRESSED = ("compressed", "sixteen_bit", "fundus")
#: Least correlation of a painted image with its pixels; of another one it is below 0.9.
_THE_SAME = 0.97
#: It is a big program on a busy machine.
_PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Shown:
    """A node that a viewer shows."""

    archive: Archive
    study: ViewedStudy
    samples: dict[str, dict[str, Dataset]]
    viewer_url: str
    dicom_web: str

    def report(self, kind: ReportKind) -> Dataset:
        with self.archive.database.reading() as session:
            row = session.exec(select(ReportRow).where(ReportRow.kind == kind)).one()
            instance = session.get_one(InstanceRow, row.instance_key)
            return read_dataset(session, self.archive.storage, instance.sop_instance_uid)


@pytest.fixture(scope="module")
def shown(
    need: Callable[[str], None], sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shown]:
    build = ohif_build()
    if build is None:
        miss("the OHIF viewer (tests/fixtures/fetch_ohif fetches it)")
    home = tmp_path_factory.mktemp("ohif")
    copyfile(sqlite_template, home / "arcuate.db")
    with serving_ohif(build) as ohif:
        settings = Settings(home=home, http_port=0, cors_origins=ohif.url)
        database = Database(settings.database)
        archive = open_test_archive(settings, database)
        study = keep_viewed_study(archive)
        samples = {folder: _keep_sample(archive, folder) for folder in _COMPRESSED}
        with database.transaction() as session:
            key = create_key(session, "viewer")
        with http_server(settings, database, archive.storage) as url:
            ohif.show(f"{url}/dicom-web", key)
            yield Shown(archive, study, samples, ohif.url, f"{url}/dicom-web")
        database.close()


def _keep_sample(archive: Archive, folder: str) -> dict[str, Dataset]:
    return {name: dataset for name, (_, dataset) in keep_sample(archive, folder).items()}


@pytest.fixture(scope="module")
def opened(shown: Shown, browser: Browser) -> Iterator[Viewer]:
    # Its service worker would answer from its cache, unseen by the test.
    context = browser.new_context(viewport={"width": 1400, "height": 900}, service_workers="block")
    expect.set_options(timeout=_PATIENCE_SECONDS * 1000)
    yield Viewer(context, shown.viewer_url, shown.dicom_web)
    expect.set_options(timeout=USUAL_PATIENCE_SECONDS * 1000)
    context.close()


@pytest.fixture
def viewer(opened: Viewer) -> Viewer:
    """The same page for every test: it takes seconds to open one."""
    opened.faults.clear()
    return opened


def _shows(viewer: Viewer, frame: Image.Image) -> bool:
    return wait_until(lambda: likeness(viewer.painted(), frame) > _THE_SAME, _PATIENCE_SECONDS)


def _shows_series(viewer: Viewer, image: Dataset, frame: Image.Image) -> bool:
    """Put a series into the viewport; as often as the viewer, still arranging, forgets it."""

    def is_shown(fresh: bool) -> bool:
        if fresh:
            viewer.open_study(str(image.StudyInstanceUID), fresh=True)
        viewer.show(image.SeriesNumber)
        return wait_until(
            lambda: likeness(viewer.painted(), frame) > _THE_SAME, _PATIENCE_SECONDS / 3
        )

    # A person whose double clicks do nothing loads the page again.
    return any(is_shown(fresh) for fresh in (False, False, True, True))


def test_list_names_the_study_and_opens_it(viewer: Viewer, shown: Shown) -> None:
    viewer.open_list()
    row = viewer.page.get_by_role("row", name="SAMPLE-ACC-0010")

    expect(row).to_contain_text("Sample, Grids")
    expect(row).to_contain_text("10-May-2024")
    row.dblclick()

    expect(viewer.page).to_have_url(
        f"{shown.viewer_url}/viewer?StudyInstanceUIDs={shown.study.uid}"
    )
    assert _shows(viewer, frames_of(shown.study.localizer)[0])
    assert viewer.faults == []


def test_list_finds_by_part_of_a_name(viewer: Viewer) -> None:
    viewer.open_list()
    others = viewer.page.get_by_role("row", name="SAMPLE-ACC-0005")
    expect(others).to_be_visible()

    with viewer.page.expect_response(lambda answer: "PatientName=*grid*" in unquote(answer.url)):
        viewer.filter_patients("grid")

    expect(others).to_have_count(0)
    expect(viewer.page.get_by_role("row", name="SAMPLE-ACC-0010")).to_be_visible()
    assert viewer.faults == []


def test_volume_is_painted_and_scrolls_frame_by_frame(viewer: Viewer, shown: Shown) -> None:
    frames = frames_of(shown.study.volume)
    viewer.open_study(shown.study.uid)

    assert _shows_series(viewer, shown.study.volume, frames[0]), viewer.described()
    viewer.scroll_to(6)

    expect(viewer.viewport).to_contain_text("(6/80)")
    assert _shows(viewer, frames[5])
    alike = [likeness(viewer.painted(), frame) for frame in frames]
    assert int(np.argmax(alike)) == 5
    assert viewer.faults == []


@pytest.mark.parametrize(
    ("folder", "file"),
    [
        ("compressed", "right_oct.dcm"),
        pytest.param("compressed", "left_oct.dcm", marks=pytest.mark.slow),
        pytest.param("sixteen_bit", "right_oct.dcm", marks=pytest.mark.slow),
        pytest.param("fundus", "right_fundus.dcm", marks=pytest.mark.slow),
    ],
)
def test_compressed_image_is_painted(viewer: Viewer, shown: Shown, folder: str, file: str) -> None:
    image = shown.samples[folder][file]
    viewer.open_study(str(image.StudyInstanceUID))

    assert _shows_series(viewer, image, frames_of(image)[0]), viewer.described()
    assert viewer.faults == []


def test_picture_of_the_estimate_is_painted(viewer: Viewer, shown: Shown) -> None:
    picture = shown.report(ReportKind.SECONDARY_CAPTURE)
    viewer.open_study(shown.study.uid)

    assert _shows_series(viewer, picture, frames_of(picture)[0]), viewer.described()
    # A film player would lie over the words that it is an estimate.
    expect(viewer.viewport.get_by_text("FPS")).to_have_count(0, timeout=5_000)
    assert viewer.faults == []


def test_page_of_the_estimate_appears(viewer: Viewer, shown: Shown) -> None:
    page = shown.report(ReportKind.PDF)
    viewer.open_study(shown.study.uid)

    viewer.show(page.SeriesNumber)

    assert viewer.shown_pdf() == page.EncapsulatedDocument[: page.EncapsulatedDocumentLength]
    assert viewer.faults == []


def test_text_report_is_read_out(viewer: Viewer, shown: Shown) -> None:
    viewer.open_study(shown.study.uid)

    viewer.show(shown.report(ReportKind.TEXT).SeriesNumber)

    expect(viewer.viewport).to_contain_text("not measured")
    assert viewer.faults == []


def test_report_of_measurements_is_beyond_ohif_and_harms_nothing(
    viewer: Viewer, shown: Shown
) -> None:
    viewer.open_study(shown.study.uid)

    # https://github.com/OHIF/Viewers/issues/3390: it wants coordinates in an image.
    viewer.show(shown.report(ReportKind.STRUCTURED_REPORT).SeriesNumber)

    expect(viewer.page.get_by_text("Something went wrong").first).to_be_visible()
    viewer.show(shown.study.localizer.SeriesNumber)
    assert _shows(viewer, frames_of(shown.study.localizer)[0])
    assert viewer.faults == []
