"""Why no report can be built. Messages name attributes and UIDs, never a patient."""

from core.errors import NodeError


class ReportError(NodeError):
    """No report can be built from this prediction and these sources."""


class SourceMissing(ReportError):
    """The instance the prediction was made from is not among the sources of the report."""


class SourceConflict(ReportError):
    """The source and the prediction disagree on whose study it is; nothing is reported."""


class SourceUnsupported(ReportError):
    """The source is of a SOP class that no report can refer to."""


class PredictionInconsistent(ReportError):
    """The prediction contradicts itself; nothing is reported."""


class ReportWrong(ReportError):
    """A built report does not say what its prediction says; it is neither kept nor sent."""


def require(is_right: bool, fault: str) -> None:
    """Raise ReportWrong, naming the fault, unless a check of a built report holds."""
    if not is_right:
        raise ReportWrong(
            f"A report that was built is wrong, so it is not kept: {fault}; tell those who make "
            "this software, with the version"
        )
