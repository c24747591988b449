"""What every report of both eyes offers, and what its header says."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from highdicom import ContributingEquipment
from pydicom import Dataset
from pydicom.uid import UID

from core.values.both_eyes import BothEyes, EyeOfStudy
from core.values.laterality import Laterality
from core.values.report_context import KeptReport
from reports.equipment import Equipment
from reports.errors import SourceConflict
from reports.heading import Moment, zone_of
from reports.identifiers import derived_uid
from reports.report import ReportKind
from reports.source import patient_of, read_sources
from reports.structured_report import model_as_equipment

#: Headers of the scan of each eye and of what was read beside it.
EyeSources = Mapping[Laterality, Sequence[Dataset]]

_DESCRIPTION = "AI estimated VF 24-2 R+L - not measured"


class BothEyesFormat(Protocol):
    """One way to write both eyes of a study as a DICOM object."""

    @property
    def kind(self) -> ReportKind:
        """Which kind of report this format builds."""
        ...

    def build_both(
        self,
        both: BothEyes,
        sources: EyeSources,
        equipment: Equipment,
        kept: Sequence[KeptReport] = (),
        predecessors: Sequence[KeptReport] = (),
    ) -> Dataset:
        """Return the report, complete with file meta information, ready to be written or sent.

        Parameters
        ----------
        sources
            Of each eye, as `ReportFormat.build` takes them.
        kept
            The reports of each eye for itself, which this one rests on.
        predecessors
            Those of the version of the summary that this one supersedes.

        Raises
        ------
        ReportError
            If the sources do not fit the predictions or each other.
        """
        ...


def read_eye_sources(both: BothEyes, sources: EyeSources) -> tuple[Dataset, ...]:
    """Return a cleaned header of each source, that of the right scan first, each once.

    Raises
    ------
    SourceConflict
        If the two scans are not of one person.
    """
    right = read_sources(both.right.prediction, sources[Laterality.RIGHT])
    left = read_sources(both.left.prediction, sources[Laterality.LEFT])
    for keyword in ("PatientID", "PatientBirthDate", "PatientSex"):
        stated = {str(header.get(keyword) or "") for header in (right[0], left[0])} - {""}
        if len(stated) > 1:
            raise SourceConflict(
                f"The scans of the two eyes of study {both.study_instance_uid} carry different "
                f"{keyword}; correct the study at its source and send it again"
            )
    found = {str(header.SOPInstanceUID): header for header in (*right, *left)}
    return tuple(found.values())


def description_of(both: BothEyes) -> str:
    """Return the Series Description: lists show nothing else, so what is amiss stands in it."""
    eyes = [eye.prediction.laterality for eye in both.eyes if eye.withheld is not None]
    named = "+".join(str(laterality) for laterality in eyes)
    return f"{_DESCRIPTION}, {named} not to be used" if named else _DESCRIPTION


def summary_uid(what: str, kind: str, both: BothEyes) -> UID:
    """Return the UID of the series or instance of a report of this version.

    Another node that scores the same study, or this one begun anew, counts the same versions, but
    tells other predictions: its report is another object.
    """
    told = (eye.prediction.prediction_id for eye in both.eyes)
    return derived_uid(f"summary-{what}", kind, both.study_instance_uid, str(both.version), *told)


def settled_moment(both: BothEyes, header: Dataset, equipment: Equipment) -> Moment:
    """Return when the summary was settled; its reports have no other time of their own."""
    return Moment(both.settled_at.astimezone(zone_of(header) or equipment.time_zone))


def contributors(both: BothEyes, equipment: Equipment) -> list[ContributingEquipment]:
    """Return the service with each model at work, each once."""
    of_model = {eye.prediction.model.digest: eye.prediction for eye in both.eyes}
    return [model_as_equipment(prediction, equipment) for prediction in of_model.values()]


def scans_of(both: BothEyes, headers: Sequence[Dataset]) -> list[Dataset]:
    """Return the headers of the two scans, without what was read beside them."""
    uids = {eye.prediction.source.sop_instance_uid for eye in both.eyes}
    return [header for header in headers if header.SOPInstanceUID in uids]


def as_the_scans_name_them(both: BothEyes, headers: Sequence[Dataset]) -> BothEyes:
    """Return both eyes with the patient as the first scan names them."""

    def named(eye: EyeOfStudy) -> EyeOfStudy:
        patient = patient_of(headers[0], eye.prediction.patient)
        return replace(eye, prediction=replace(eye.prediction, patient=patient))

    return replace(both, right=named(both.right), left=named(both.left))
