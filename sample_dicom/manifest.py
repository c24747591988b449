"""The list of what must come of each sample file, for programs."""

import json
from collections.abc import Iterator, Sequence

from core.values.laterality import Laterality
from core.values.reason import ReasonCode
from sample_dicom.cases import SampleCase, SampleEye
from sample_dicom.expected import Expected
from sample_dicom.localizer_op import localizer_uid
from sample_dicom.object_cases import ObjectCase, SampleObject
from sample_dicom.oct_scan import oct_instance_uid

Entry = dict[str, str | float | None]


def localizer_name(eye: SampleEye) -> str:
    """Return the file name of an eye's localizer."""
    return f"{_side(eye)}_localizer_op.dcm"


def oct_name(eye: SampleEye) -> str:
    """Return the file name of an eye's B-scan."""
    return f"{_side(eye)}_oct.dcm"


def manifest_text(cases: Sequence[SampleCase], others: Sequence[ObjectCase]) -> str:
    """Return the manifest as JSON, one entry per file."""
    document = {
        "notice": "Synthetic: drawn by a simulator, shows nobody's eye.",
        "studies": [
            *(_study(case, list(_files(case))) for case in cases),
            *(_study(case, [_entry(case, sample) for sample in case.objects]) for case in others),
        ],
    }
    return json.dumps(document, indent=1) + "\n"


def _study(case: SampleCase | ObjectCase, files: list[Entry]) -> dict[str, object]:
    return {
        "folder": case.folder,
        "purpose": case.purpose,
        "patient_id": case.study.patient.patient_id,
        "study_instance_uid": case.study.uid(),
        "age_years": case.study.age_years,
        "files": files,
    }


def _files(case: SampleCase) -> Iterator[Entry]:
    for eye in case.eyes:
        yield from _entries(case, eye)


def _entry(case: ObjectCase, sample: SampleObject) -> Entry:
    expected, nothing = sample.expected or Expected(), ReasonCode.NOT_MODEL_INPUT.value
    half_field = expected.worse_half_field
    return {
        "path": f"{case.folder}/{sample.file}",
        "sop_instance_uid": case.study.uid(sample.laterality.value, sample.label),
        "laterality": sample.laterality.value,
        "transfer_syntax_uid": sample.transfer_syntax_uid,
        "outcome": expected.status.value if sample.expected else nothing,
        "reason": None if sample.expected else nothing,
        "finding": sample.finding,
        "mean_deviation_below_db": expected.mean_deviation_below_db,
        "mean_deviation_above_db": expected.mean_deviation_above_db,
        "worse_half_field": half_field.value if half_field else None,
        "model": sample.model or None,
    }


def _entries(case: SampleCase, eye: SampleEye) -> Iterator[Entry]:
    yield {
        "path": f"{case.folder}/{localizer_name(eye)}",
        "sop_instance_uid": localizer_uid(case.study, eye.laterality),
        "laterality": eye.laterality.value,
        "transfer_syntax_uid": eye.recording.transfer_syntax_uid,
        "outcome": ReasonCode.NOT_MODEL_INPUT.value,
        "reason": ReasonCode.NOT_MODEL_INPUT.value,
        "finding": "localizer of the OCT scan",
        "mean_deviation_below_db": None,
        "mean_deviation_above_db": None,
        "worse_half_field": None,
        "model": None,
    }
    expected, half_field = eye.expected, eye.expected.worse_half_field
    yield {
        "path": f"{case.folder}/{oct_name(eye)}",
        "sop_instance_uid": oct_instance_uid(case.study, eye.laterality),
        "laterality": eye.laterality.value,
        "transfer_syntax_uid": eye.recording.transfer_syntax_uid,
        "outcome": expected.status.value,
        "reason": expected.reason.value if expected.reason else None,
        "finding": eye.finding,
        "mean_deviation_below_db": expected.mean_deviation_below_db,
        "mean_deviation_above_db": expected.mean_deviation_above_db,
        "worse_half_field": half_field.value if half_field else None,
        "model": None,
    }


def _side(eye: SampleEye) -> str:
    return "right" if eye.laterality is Laterality.RIGHT else "left"
