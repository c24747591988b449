"""Photographs of the fundus, from a real association to the archive, the REST API and the page."""

import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset, dcmread

from arcuate.demo_models import activate_other_kinds
from arcuate.node import Node
from arcuate.waiting import wait_until
from core.settings import Settings
from core.values.laterality import Laterality
from core.values.prediction import FUNDUS_NOTICE
from sample_dicom.generate import object_files
from sample_dicom.object_cases import FUNDUS
from tests.builders.fundus import build_fundus_photograph
from tests.builders.opt import build_circle_opt, build_localizer
from tests.builders.photograph import build_photograph
from tests.fixtures.node import PATIENCE_SECONDS, RunningNode, running_node

SR_CLASS = "1.2.840.10008.5.1.4.1.1.88.34"
SC_CLASS = "1.2.840.10008.5.1.4.1.1.7"
PDF_CLASS = "1.2.840.10008.5.1.4.1.1.104.1"


def settings_of(home: Path, template: Path) -> Settings:
    copyfile(template, home / "arcuate.db")
    return Settings(
        home=home,
        database_url=f"sqlite:///{home / 'arcuate.db'}",
        dicom_port=0,
        http_port=0,
        auth="none",
        log_level="warning",
    )


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[RunningNode]:
    """A node on which a model for photographs is active."""
    settings = settings_of(tmp_path_factory.mktemp("node"), sqlite_template)
    with running_node(settings) as running:
        activate_other_kinds(Node(settings, running.database, running.storage))
        yield running


@pytest.fixture(scope="module")
def plain_node(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> Iterator[RunningNode]:
    """A node as it is installed."""
    settings = settings_of(tmp_path_factory.mktemp("plain"), sqlite_template)
    with running_node(settings) as running:
        yield running


@pytest.fixture(scope="module")
def scored(node: RunningNode, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """What came of the two sample photographs, by eye."""
    photographs = [file.dataset for file in object_files(FUNDUS)]
    sent = node.send_datasets(tmp_path_factory.mktemp("sent"), *photographs)
    assert all(result.is_kept for result in sent)
    found = [node.wait_for_prediction(str(dataset.SOPInstanceUID)) for dataset in photographs]
    return {prediction["laterality"]: prediction for prediction in found}


def outcome_of(node: RunningNode, dataset: Dataset) -> dict:
    """Wait until an object is not pending any more and return its entry in the study."""
    address = f"/v1/studies/{dataset.StudyInstanceUID}/instances"

    def settled() -> list[dict]:
        items = node.get(address)["items"]
        same = [item for item in items if item["sop_instance_uid"] == dataset.SOPInstanceUID]
        return [item for item in same if item["outcome"] != "pending"]

    assert wait_until(lambda: bool(settled()), PATIENCE_SECONDS)
    return settled()[0]


def test_photographs_of_both_eyes_give_fields(scored: dict[str, dict]) -> None:
    assert set(scored) == {"R", "L"}
    for prediction in scored.values():
        assert (prediction["status"], prediction["scan_kind"]) == ("final", "fundus")
        assert prediction["model"]["name"] == "fundus_field"
        assert prediction["rnfl"] is None
        assert prediction["notice"].startswith(FUNDUS_NOTICE)
        values = np.array(prediction["sensitivities"])
        assert values.shape == (52,)
        assert np.all((values >= 0) & (values <= 40))


def test_lost_nerve_fibres_show_as_a_lower_field(scored: dict[str, dict]) -> None:
    healthy, lost = (scored[eye]["indices"]["mean_deviation"] for eye in ("R", "L"))

    assert lost < healthy - 2


def test_reports_of_a_photograph_are_kept_and_name_it(
    node: RunningNode, scored: dict[str, dict]
) -> None:
    prediction = scored["R"]
    address = f"/v1/studies/{prediction['study_instance_uid']}/instances"

    def reports() -> list[dict]:
        return [item for item in node.get(address)["items"] if item["outcome"] == "report"]

    # Three of each eye, and three of both once the study is settled.
    assert wait_until(lambda: len(reports()) == 9, PATIENCE_SECONDS), node.get("/v1/jobs")
    classes = Counter(report["sop_class_uid"] for report in reports())
    assert classes == {SR_CLASS: 3, SC_CLASS: 3, PDF_CLASS: 3}
    content = node.client.get(prediction["links"]["report"]).content
    assert "photograph" in str(dcmread(io.BytesIO(content)))


def test_page_and_pictures_show_the_photograph(node: RunningNode, scored: dict[str, dict]) -> None:
    prediction = scored["L"]

    page = node.client.get(prediction["links"]["page"])
    picture = Image.open(io.BytesIO(node.client.get(prediction["links"]["bscan"]).content))
    drawn = node.client.get(prediction["links"]["png"])

    assert "ESTIMATED from a fundus photograph, not measured" in page.text
    assert "Weaker than an estimate from OCT" in page.text
    assert "B-scan" not in page.text
    assert picture.mode == "RGB"
    assert drawn.content.startswith(b"\x89PNG")


def test_photograph_without_an_active_model_is_left_with_what_to_do(
    plain_node: RunningNode, tmp_path: Path
) -> None:
    photograph = build_fundus_photograph(Laterality.RIGHT)

    plain_node.send_datasets(tmp_path, photograph)
    outcome = outcome_of(plain_node, photograph)

    assert outcome["outcome"] == "not_model_input"
    assert "arcuate models activate fundus_field" in outcome["outcome_message"]
    assert outcome["predictions"] == []


@pytest.mark.parametrize("scan_first", [True, False])
def test_localizer_is_never_scored_whatever_comes_first(
    node: RunningNode, tmp_path: Path, scan_first: bool
) -> None:
    """The localizer says nothing of what it is for; the scan refers to it."""
    key = f"order-{scan_first}"
    scan, localizer = build_circle_opt(key=key), build_localizer(key=key)
    localizer.Manufacturer = "Another"
    del localizer.AcquisitionDeviceTypeCodeSequence

    both = (scan, localizer) if scan_first else (localizer, scan)
    for number, dataset in enumerate(both):
        node.send_datasets(tmp_path / str(number), dataset)

    outcome = outcome_of(node, localizer)
    assert (outcome["outcome"], outcome["predictions"]) == ("not_model_input", [])
    assert node.wait_for_prediction(scan.SOPInstanceUID)["status"] == "final"


def test_real_localizers_are_never_scored(
    node: RunningNode, tmp_path: Path, shared_data: Path
) -> None:
    for path in sorted((shared_data / "oct").glob("*/localizer_op.dcm")):
        localizer = dcmread(path)
        node.send_datasets(tmp_path / path.parent.name, localizer)

        outcome = outcome_of(node, localizer)
        assert (outcome["outcome"], outcome["predictions"]) == ("not_model_input", [])


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        pytest.param({"ImageLaterality": None}, "laterality_missing", marks=pytest.mark.slow),
        ({"Laterality": "L"}, "laterality_conflict"),
        ({"Rows": 10000, "Columns": 10000}, "too_large"),
        pytest.param({"PixelData": None}, "pixels_unreadable", marks=pytest.mark.slow),
        pytest.param({"age_years": None}, "age_missing", marks=pytest.mark.slow),
    ],
    ids=["no eye", "two eyes", "bomb", "no pixels", "no age"],
)
def test_unfit_photograph_ends_with_its_reason_and_harms_no_other(
    node: RunningNode, tmp_path: Path, fault: dict, code: str
) -> None:
    bad = build_fundus_photograph(Laterality.RIGHT, key=f"bad-{code}", **fault)
    good = build_fundus_photograph(Laterality.LEFT, key=f"good-{code}")

    node.send_datasets(tmp_path, bad, good)

    refused = node.wait_for_prediction(bad.SOPInstanceUID)
    assert (refused["status"], [r["code"] for r in refused["reasons"]]) == (
        "not_assessable",
        [code],
    )
    assert refused["sensitivities"] is None
    assert node.wait_for_prediction(good.SOPInstanceUID)["status"] == "final"


def test_photograph_of_something_else_is_not_assessable(node: RunningNode, tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (600, 800, 3), dtype=np.uint8)
    photograph = build_photograph(pixels=noise, key="noise")

    node.send_datasets(tmp_path, photograph)

    refused = node.wait_for_prediction(photograph.SOPInstanceUID)
    assert (refused["status"], refused["sensitivities"]) == ("not_assessable", None)
