"""The coded concepts of a reviewed report. A code, once published, never changes its meaning."""

from typing import Final

from highdicom.sr import CodedConcept

from core.values.review import ReviewDecision
from reports.codes import SCHEME


def _private(value: str, meaning: str) -> CodedConcept:
    return CodedConcept(value=value, scheme_designator=SCHEME, meaning=meaning)


REVIEW_DECISION: Final = _private("REVDEC", "Decision of the review of an estimated field")
DECISIONS: Final = {
    ReviewDecision.ACCEPT: _private("REVACC", "Accepted"),
    ReviewDecision.REJECT: _private("REVREJ", "Rejected: the estimate must not be used"),
    ReviewDecision.AMEND: _private("REVAMD", "Amended"),
}
AMENDED_ASSESSABILITY: Final = _private("REVASS", "Assessability according to the review")
AMENDED_INDEX: Final = _private("REVIDX", "Index according to the review")

#: TID 1500, the container of what is no measurement.
QUALITATIVE_EVALUATIONS: Final = CodedConcept("C0034375", "UMLS", "Qualitative Evaluations")
OBSERVER_TYPE: Final = CodedConcept("121005", "DCM", "Observer Type")
PERSON: Final = CodedConcept("121006", "DCM", "Person")
PERSON_NAME: Final = CodedConcept("121008", "DCM", "Person Observer Name")
