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
