"""What a retrieval finds, on both databases."""

import pytest

from core.database import Database
from core.settings import Settings
from dicom_node.errors import RetrieveInvalid
from dicom_node.storage import selection
from dicom_node.storage.archive import Archive, open_archive
from dicom_node.storage.bytes import Storage
from dicom_node.storage.ingest import ingest
from dicom_node.storage.selection import Selection, check_patient
from tests.builders.encoded_instance import encode_instance


@pytest.fixture
def archive(settings: Settings, database: Database) -> Archive:
    opened = open_archive(settings, database, Storage(settings.storage))
    opened.prepare()
    for study, issuer in (("1.2.3.1", "A"), ("1.2.3.2", "B")):
        for series in (1, 2):
            for number in (1, 2):
                ingest(
                    opened,
                    encode_instance(
                        StudyInstanceUID=study,
                        SeriesInstanceUID=f"{study}.{series}",
                        SOPInstanceUID=f"{study}.{series}.{number}",
                        IssuerOfPatientID=issuer,
                    ),
                )
    return opened


def uids(archive: Archive, selected: Selection) -> list[str]:
    return [one.sop_instance_uid for one in selected.instances(archive.database)]


def test_each_level_is_selected_by_its_keys(archive: Archive) -> None:
    study = ("1.2.3.1",)

    assert len(uids(archive, Selection(patient_id="P1"))) == 8
    assert len(uids(archive, Selection(patient_id="P1", issuer="B"))) == 4
    assert len(uids(archive, Selection(study_instance_uids=study))) == 4
    assert (
        uids(archive, Selection(series_instance_uids=("1.2.3.2.2",), study_instance_uids=study))
        == []
    )
    assert uids(
        archive,
        Selection(
            study_instance_uids=study,
            series_instance_uids=("1.2.3.1.2",),
            sop_instance_uids=("1.2.3.1.2.2", "1.2.3.1.1.1", "1.2.3.1.2.2"),
        ),
    ) == ["1.2.3.1.2.2"]
    assert uids(archive, Selection(patient_id="P2", study_instance_uids=study)) == []


def test_pages_and_batches_lose_nothing_and_repeat_nothing(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "PAGE_ROWS", 3)
    every = uids(archive, Selection(study_instance_uids=("1.2.3.1", "1.2.3.2")))

    assert len(every) == len(set(every)) == 8
    assert sorted(uids(archive, Selection(sop_instance_uids=every * 2))) == sorted(every)
    [count] = Selection(sop_instance_uids=every).encodings(archive.database).values()
    assert count == 8


def test_the_fingerprint_changes_with_what_is_kept(archive: Archive) -> None:
    study = Selection(study_instance_uids=("1.2.3.1",))
    before = study.fingerprint(archive.database)

    ingest(
        archive,
        encode_instance(
            StudyInstanceUID="1.2.3.1",
            SeriesInstanceUID="1.2.3.1.1",
            SOPInstanceUID="1.2.3.1.1.9",
            IssuerOfPatientID="A",
        ),
    )

    after = study.fingerprint(archive.database)
    assert (before[:2], after[:2]) == ((4, 0), (5, 0))
    assert before[2] != after[2]


def test_a_patient_id_of_two_issuers_needs_the_issuer_or_a_study(archive: Archive) -> None:
    with pytest.raises(RetrieveInvalid):
        check_patient(Selection(patient_id="P1"), archive.database)
    check_patient(Selection(patient_id="P1", issuer="A"), archive.database)
    check_patient(Selection(patient_id="P1", study_instance_uids=("1.2.3.1",)), archive.database)
