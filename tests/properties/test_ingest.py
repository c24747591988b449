from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pynetdicom import ALL_TRANSFER_SYNTAXES

from core.database import Database
from core.errors import NodeError
from core.migrations.schema import migrate
from core.settings import Settings
from dicom_node.storage.accept_list import ACCEPTED_SOP_CLASSES
from dicom_node.storage.archive import Archive, open_archive
from dicom_node.storage.bytes import Storage
from dicom_node.storage.ingest import ingest
from dicom_node.storage.part10 import EncodedInstance
from dicom_node.storage.records import IngestOutcome
from dicom_node.storage.text import decode_text
from tests.builders.encoded_instance import encode_instance

WHOLE = encode_instance()
EXAMPLES = hypothesis_settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    settings = Settings(home=tmp_path_factory.mktemp("node") / "home")
    database = Database(settings.database)
    migrate(database)
    opened = open_archive(settings, database, Storage(settings.storage))
    opened.prepare()
    yield opened
    database.close()


def attempt(archive: Archive, encoded: EncodedInstance) -> IngestOutcome | NodeError:
    try:
        return ingest(archive, encoded)
    except NodeError as error:
        return error


def assert_inside(archive: Archive) -> None:
    """Nothing was written beside the two folders, and every name is of our own making."""
    home = archive.storage.root.parent
    for path in home.rglob("*.dcm"):
        assert path.parent.parent in {archive.storage.root, archive.quarantine.root}
        assert len(path.stem) == 64
    outside = {path.name for path in home.parent.iterdir()}
    assert outside == {home.name}


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    """A good data set with a few bytes changed, cut out or put in."""
    data = bytearray(WHOLE.data_set)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data) - 1))
        end = draw(st.integers(start, min(len(data), start + 8)))
        data[start:end] = draw(st.binary(max_size=8))
    return bytes(data)


@EXAMPLES
@given(
    data_set=st.one_of(st.binary(max_size=300), mutations()),
    syntax=st.one_of(st.sampled_from(ALL_TRANSFER_SYNTAXES), st.text(max_size=20)),
    sop_class=st.sampled_from(ACCEPTED_SOP_CLASSES),
    uid=st.one_of(st.just(WHOLE.sop_instance_uid), st.text(max_size=70)),
)
def test_any_bytes_lead_to_an_outcome_inside_the_store(
    archive: Archive, data_set: bytes, syntax: str, sop_class: str, uid: str
) -> None:
    encoded = EncodedInstance(
        data_set=data_set,
        transfer_syntax_uid=syntax,
        sop_class_uid=sop_class,
        sop_instance_uid=uid,
    )

    outcome = attempt(archive, encoded)

    assert isinstance(outcome, IngestOutcome | NodeError)
    assert_inside(archive)


@EXAMPLES
@given(data_set=mutations())
def test_a_damaged_instance_is_kept_as_sent_or_kept_aside(
    archive: Archive, data_set: bytes
) -> None:
    encoded = replace(WHOLE, data_set=data_set)

    outcome = attempt(archive, encoded)

    kept = archive.storage if isinstance(outcome, IngestOutcome) else archive.quarantine
    assert any(path.read_bytes().endswith(data_set) for path in kept.root.rglob("*.dcm"))


@EXAMPLES
@given(value=st.binary(max_size=64), sets=st.lists(st.text(max_size=16), max_size=3))
def test_any_text_is_decoded_to_what_a_database_can_hold(value: bytes, sets: list[str]) -> None:
    text = decode_text(value, sets)

    assert text.encode("utf-8").count(b"\x00") == 0
