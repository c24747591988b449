"""MPPS and IAN over real associations: what is answered, what is kept, and what it leads to."""

from collections.abc import Iterator
from io import BytesIO

import pytest
from pydicom import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import N_CREATE
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    InstanceAvailabilityNotification,
    ModalityPerformedProcedureStep,
)
from sqlmodel import select

from core.database import Database
from core.settings import Settings
from core.tables.study_notices import NoticeKind, NoticeState, StudyNoticeRow
from core.tables.study_summaries import SettleCause, SummaryState
from dicom_node.peers import add_peer
from dicom_node.rollup.ends import GRACE
from dicom_node.scp.attribute_list import MAXIMUM_BYTES, MAXIMUM_INSTANCES
from dicom_node.storage.study_notices import Notice, add_notice
from tests.builders.feed import arrive, source_of
from tests.fixtures.clockwork import QUIET, STUDY, Clockwork
from tests.fixtures.dicom_server import DEVICE, Node, running_node

_STEP = "1.2.40.1"
_CLASSES = (ModalityPerformedProcedureStep, InstanceAvailabilityNotification)
_SYNTAXES = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian]


@pytest.fixture
def node(settings: Settings, database: Database) -> Iterator[Node]:
    with running_node(settings, database) as running:
        yield running


@pytest.fixture
def association(node: Node) -> Iterator[Association]:
    opened = _associate(node, _SYNTAXES)
    yield opened
    opened.release()


def _associate(node: Node, syntaxes: list[str], ae_title: str = DEVICE) -> Association:
    entity = AE(ae_title)
    for abstract_syntax in _CLASSES:
        entity.add_requested_context(abstract_syntax, syntaxes)
    association = entity.associate("127.0.0.1", node.port, ae_title="ARCUATE")
    assert association.is_established
    assert len(association.accepted_contexts) == len(_CLASSES)
    return association


def _begin(*studies: str, status: str = "IN PROGRESS") -> Dataset:
    attributes = Dataset()
    attributes.PerformedProcedureStepStatus = status
    attributes.PatientName = "Public^Circle"
    attributes.ScheduledStepAttributesSequence = [_item(StudyInstanceUID=uid) for uid in studies]
    attributes.PerformedSeriesSequence = []
    return attributes


def _end(*instances: str, status: str = "COMPLETED") -> Dataset:
    attributes = Dataset()
    attributes.PerformedProcedureStepStatus = status
    images = [_item(ReferencedSOPInstanceUID=uid) for uid in instances]
    attributes.PerformedSeriesSequence = [_item(ReferencedImageSequence=images)]
    return attributes


def _notification(*instances: str, study: str = STUDY) -> Dataset:
    attributes = Dataset()
    attributes.StudyInstanceUID = study
    references = [_item(ReferencedSOPInstanceUID=uid) for uid in instances]
    attributes.ReferencedSeriesSequence = [_item(ReferencedSOPSequence=references)]
    return attributes


def _item(**values: object) -> Dataset:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def _create(association: Association, attributes: Dataset | None, uid: str = _STEP) -> int:
    answer, _ = association.send_n_create(attributes, ModalityPerformedProcedureStep, uid)
    return int(answer.Status)


def _set(association: Association, attributes: Dataset, uid: str = _STEP) -> Dataset:
    answer, _ = association.send_n_set(attributes, ModalityPerformedProcedureStep, uid)
    return answer


def _notify(association: Association, attributes: Dataset, uid: str = "1.2.50.1") -> int:
    answer, _ = association.send_n_create(attributes, InstanceAvailabilityNotification, uid)
    return int(answer.Status)


def _notices(database: Database) -> list[StudyNoticeRow]:
    with database.reading() as session:
        return list(session.exec(select(StudyNoticeRow)).all())


@pytest.mark.parametrize("syntax", _SYNTAXES)
def test_step_is_recorded_from_beginning_to_end(node: Node, syntax: str) -> None:
    association = _associate(node, [syntax])

    begun = _create(association, _begin(STUDY))
    [beginning] = _notices(node.database)
    ended = _set(association, _end("1.2.3", "1.2.4", "1.2.3"))
    association.release()

    [end] = _notices(node.database)
    assert (begun, ended.Status) == (0x0000, 0x0000)
    assert (beginning.kind, beginning.state, beginning.study_instance_uid) == (
        NoticeKind.PROCEDURE_STEP,
        NoticeState.IN_PROGRESS,
        STUDY,
    )
    assert (end.state, end.instances, end.calling_ae_title) == (
        NoticeState.COMPLETED,
        ["1.2.3", "1.2.4"],
        DEVICE,
    )


def test_step_of_two_studies_is_recorded_for_both(node: Node, association: Association) -> None:
    assert _create(association, _begin("1.2.1", "1.2.2", "1.2.1")) == 0x0000
    assert _set(association, _end(status="DISCONTINUED")).Status == 0x0000

    assert [(row.study_instance_uid, row.state) for row in _notices(node.database)] == [
        ("1.2.1", NoticeState.DISCONTINUED),
        ("1.2.2", NoticeState.DISCONTINUED),
    ]


def test_set_in_between_leaves_the_step_in_progress(node: Node, association: Association) -> None:
    _create(association, _begin(STUDY))
    between = _item(PerformedProcedureStepDescription="OCT")

    assert _set(association, between).Status == 0x0000
    assert _set(association, _end("1.2.3")).Status == 0x0000
    assert [row.state for row in _notices(node.database)] == [NoticeState.COMPLETED]


def _without(keyword: str) -> Dataset:
    attributes = _begin(STUDY)
    delattr(attributes, keyword)
    return attributes


@pytest.mark.parametrize(
    ("attributes", "status"),
    [
        (_without("PerformedProcedureStepStatus"), 0x0120),
        (_without("ScheduledStepAttributesSequence"), 0x0120),
        (_begin(), 0x0121),
        (_begin(STUDY, status=""), 0x0121),
        (_begin(STUDY, status="COMPLETED"), 0x0106),
        (_begin(STUDY, status="UNDER WAY"), 0x0106),
        (_begin(""), 0x0121),
    ],
)
def test_step_that_lacks_something_is_refused(
    node: Node, association: Association, attributes: Dataset, status: int
) -> None:
    assert _create(association, attributes) == status
    assert _notices(node.database) == []


def test_step_without_attributes_is_refused(node: Node, association: Association) -> None:
    assert _create(association, None) == 0x0120
    assert _notices(node.database) == []


def test_step_whose_study_is_not_named_is_refused(association: Association) -> None:
    attributes = _begin()
    attributes.ScheduledStepAttributesSequence = [_item(AccessionNumber="A1")]

    assert _create(association, attributes) == 0x0120


def test_step_known_already_is_a_duplicate(node: Node, association: Association) -> None:
    assert _create(association, _begin("1.2.1")) == 0x0000

    assert _create(association, _begin("1.2.2")) == 0x0111
    assert [row.study_instance_uid for row in _notices(node.database)] == ["1.2.1"]


def test_step_nobody_began_is_not_found(association: Association) -> None:
    assert _set(association, _end("1.2.3")).Status == 0x0112


def test_step_of_another_device_is_not_found(node: Node, association: Association) -> None:
    _create(association, _begin(STUDY))
    with node.database.transaction() as session:
        add_peer(session, "DEVICE2", "127.0.0.1")

    stranger = _associate(node, _SYNTAXES, "DEVICE2")
    refused = _set(stranger, _end("1.2.3"))
    stranger.release()

    assert refused.Status == 0x0112
    assert _notices(node.database)[0].state == NoticeState.IN_PROGRESS


def test_step_that_ended_may_no_longer_be_updated(node: Node, association: Association) -> None:
    _create(association, _begin(STUDY))
    _set(association, _end("1.2.3"))

    refused = _set(association, _end("1.2.9"))

    # PS3.4 F.7.2.2.3: Processing failure, Error ID A710.
    assert (refused.Status, refused.ErrorID) == (0x0110, 0xA710)
    assert _notices(node.database)[0].instances == ["1.2.3"]


def test_set_with_a_wrong_state_changes_nothing(node: Node, association: Association) -> None:
    _create(association, _begin(STUDY))

    assert _set(association, _end("1.2.3", status="DONE")).Status == 0x0106
    assert _notices(node.database)[0].state == NoticeState.IN_PROGRESS


def test_step_is_not_a_notification(association: Association) -> None:
    _notify(association, _notification("1.2.3"), uid=_STEP)

    assert _set(association, _end("1.2.3")).Status == 0x0112


@pytest.mark.parametrize(
    ("keyword", "status"), [("StudyInstanceUID", 0x0120), ("ReferencedSeriesSequence", 0x0120)]
)
def test_notification_that_lacks_something_is_refused(
    node: Node, association: Association, keyword: str, status: int
) -> None:
    attributes = _notification("1.2.3")
    delattr(attributes, keyword)

    assert _notify(association, attributes) == status
    assert _notices(node.database) == []


def test_notification_that_names_no_instance_is_refused(association: Association) -> None:
    assert _notify(association, _notification()) == 0x0121


def test_notification_is_recorded_once(node: Node, association: Association) -> None:
    assert _notify(association, _notification("1.2.3")) == 0x0000

    assert _notify(association, _notification("1.2.4")) == 0x0111
    [row] = _notices(node.database)
    assert (row.kind, row.instances) == (NoticeKind.INSTANCE_AVAILABILITY, ["1.2.3"])


def test_garbage_is_refused_and_the_association_goes_on(
    node: Node, association: Association
) -> None:
    assert _send_raw(association, b"\x40\x00\x70\x02CS\xff\xff garbage") in {0x0106, 0x0120}

    assert _create(association, _begin(STUDY)) == 0x0000


def test_more_than_is_taken_at_once_is_refused(association: Association) -> None:
    many = _notification(*(f"1.2.{n}" for n in range(MAXIMUM_INSTANCES + 1)))

    assert _notify(association, many) == 0x0213
    assert _send_raw(association, bytes(MAXIMUM_BYTES + 1)) == 0x0213
    assert _send_raw(association, bytes(8 << 20)) == 0x0213


def _send_raw(association: Association, encoded: bytes) -> int:
    """Send an N-CREATE with these bytes for its attributes; return the status."""
    request = N_CREATE()
    request.MessageID = 7
    request.AffectedSOPClassUID = ModalityPerformedProcedureStep
    request.AffectedSOPInstanceUID = "1.2.60.1"
    request.AttributeList = BytesIO(encoded)
    [context] = [
        c
        for c in association.accepted_contexts
        if c.abstract_syntax == ModalityPerformedProcedureStep
    ]
    association._reactor_checkpoint.clear()
    association.dimse.send_msg(request, context.context_id or 0)
    _, answer = association.dimse.get_msg(block=True)
    association._reactor_checkpoint.set()
    assert isinstance(answer, N_CREATE)
    return int(answer.Status or 0)


def test_notice_that_names_what_is_here_settles_the_study(
    association: Association, clockwork: Clockwork
) -> None:
    scans = [source_of(1), source_of(2)]
    with clockwork.database.transaction() as session:
        arrive(session, scans[0], clockwork.now, is_model_input=False)
    _notify(association, _notification(*(scan.sop_instance_uid for scan in scans)))
    clockwork.work()
    clockwork.work(QUIET / 2)
    [waiting] = clockwork.summaries()
    with clockwork.database.transaction() as session:
        arrive(session, scans[1], clockwork.now, is_model_input=False)

    clockwork.work()

    [settled] = clockwork.summaries()
    assert waiting.state == SummaryState.OPEN
    assert (settled.state, settled.cause, settled.received, settled.missing) == (
        SummaryState.SETTLED,
        SettleCause.INSTANCE_AVAILABILITY,
        2,
        0,
    )


def _waits_for(number: int) -> Notice:
    return Notice(
        sop_instance_uid=f"1.2.50.{number}",
        kind=NoticeKind.INSTANCE_AVAILABILITY,
        state=NoticeState.COMPLETED,
        studies=(STUDY,),
        instances=(f"1.2.60.{number}",),
        calling_ae_title=DEVICE,
    )


def test_many_notices_that_wait_hold_up_none_that_is_complete(
    association: Association, clockwork: Clockwork
) -> None:
    with clockwork.database.transaction() as session:
        arrive(session, source_of(1), clockwork.now, is_model_input=False)
        for number in range(120):
            add_notice(session, _waits_for(number), clockwork.now)
    _notify(association, _notification(source_of(1).sop_instance_uid), "1.2.51")

    clockwork.work()

    [settled] = clockwork.summaries()
    assert (settled.state, settled.missing) == (SummaryState.SETTLED, 120)


def test_end_of_the_step_settles_a_study_that_its_association_did_not(
    association: Association, clockwork: Clockwork
) -> None:
    _create(association, _begin(STUDY))
    with clockwork.database.transaction() as session:
        arrive(session, source_of(1), clockwork.now, is_model_input=False)
    clockwork.work()
    _set(association, _end(source_of(1).sop_instance_uid))

    clockwork.work()

    [settled] = clockwork.summaries()
    assert (settled.state, settled.cause) == (SummaryState.SETTLED, SettleCause.PROCEDURE_STEP)


def test_step_that_ends_before_its_objects_come_waits_for_them(
    association: Association, clockwork: Clockwork
) -> None:
    _create(association, _begin(STUDY))
    _set(association, _end(source_of(1).sop_instance_uid))
    clockwork.work()
    with clockwork.database.transaction() as session:
        arrive(session, source_of(1), clockwork.now, is_model_input=False)

    clockwork.work()

    assert [row.cause for row in clockwork.summaries()] == [SettleCause.PROCEDURE_STEP]


def test_step_that_names_nothing_leaves_time_for_more(
    association: Association, clockwork: Clockwork
) -> None:
    _create(association, _begin(STUDY))
    with clockwork.database.transaction() as session:
        arrive(session, source_of(1), clockwork.now, is_model_input=False)
    _set(association, _end())
    clockwork.work()
    [waiting] = clockwork.summaries()

    clockwork.work(GRACE)

    [settled] = clockwork.summaries()
    assert (waiting.state, settled.state) == (SummaryState.OPEN, SummaryState.SETTLED)


def test_what_was_named_and_never_came_is_told(
    association: Association, clockwork: Clockwork
) -> None:
    _notify(association, _notification(source_of(1).sop_instance_uid, "1.2.999"))
    with clockwork.database.transaction() as session:
        arrive(session, source_of(1), clockwork.now, is_model_input=False)
    clockwork.work()
    clockwork.work(QUIET)

    [settled] = clockwork.summaries()
    assert (settled.cause, settled.missing) == (SettleCause.QUIET_TIME, 1)
