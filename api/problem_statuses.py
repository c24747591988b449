"""Which HTTP status tells which error."""

from http import HTTPStatus
from typing import Final

from api.errors import (
    AdministratorExists,
    AmendmentNotMeant,
    AskedTooOften,
    BodyMalformed,
    BodyStalled,
    BodyTooLarge,
    CursorInvalid,
    FormRefused,
    HostRefused,
    LoginRefused,
    LoginWithoutRole,
    MediaTypeUnsupported,
    NobodyScored,
    NotAcceptable,
    NotMadeHere,
    NotReady,
    NotSignedIn,
    OriginRefused,
    ParameterInvalid,
    ParquetUnavailable,
    PositionUnknown,
    RangeNotSatisfiable,
    RoleMissing,
    ServingNameTaken,
    TooManySearches,
    TooManyStreams,
)
from core.deliveries.retrying import DeliveryNotGivenUp, DeliveryUnderWay
from core.deliveries.rules import RuleInvalid
from core.deployment_jobs import TooManyJobs
from core.errors import InfrastructureError, NodeError, RecordNotFound, SettingsInvalid
from core.identities.errors import CorrectionRefused, IdentityConflict
from core.keys import KeyNameTaken
from core.patients import AmbiguousPatient
from core.quarantine import BytesNotKept
from core.queue import JobNotFailed
from core.rescoring_choice import RescoringRefused
from core.reviews import NotReviewable, ReviewedMeanwhile
from core.rhythm import RhythmInvalid
from core.tensor_scores import TensorsNotScored, TensorsRefused, TooManyQuestions
from core.webhooks import WebhookInvalid, WebhookNameTaken
from dicom_node.allowing import AllowingUseless, PeerElsewhere
from dicom_node.calling_errors import PeerInvalid
from dicom_node.errors import (
    BytesRemoved,
    MatchingKeyInvalid,
    ObjectTooLarge,
    PixelsUnreadable,
    StorageFull,
)

#: The first class an error is an instance of gives its status; what no class names is a 500.
STATUSES: Final[tuple[tuple[type[NodeError], HTTPStatus], ...]] = (
    (NotSignedIn, HTTPStatus.UNAUTHORIZED),
    (LoginRefused, HTTPStatus.UNAUTHORIZED),
    (HostRefused, HTTPStatus.MISDIRECTED_REQUEST),
    (LoginWithoutRole, HTTPStatus.FORBIDDEN),
    (OriginRefused, HTTPStatus.FORBIDDEN),
    (FormRefused, HTTPStatus.FORBIDDEN),
    (RoleMissing, HTTPStatus.FORBIDDEN),
    (AskedTooOften, HTTPStatus.TOO_MANY_REQUESTS),
    (AdministratorExists, HTTPStatus.CONFLICT),
    (ServingNameTaken, HTTPStatus.CONFLICT),
    (NotMadeHere, HTTPStatus.METHOD_NOT_ALLOWED),
    (AmendmentNotMeant, HTTPStatus.UNPROCESSABLE_ENTITY),
    (CursorInvalid, HTTPStatus.BAD_REQUEST),
    (ParameterInvalid, HTTPStatus.BAD_REQUEST),
    (WebhookInvalid, HTTPStatus.UNPROCESSABLE_ENTITY),
    (BodyMalformed, HTTPStatus.BAD_REQUEST),
    (RangeNotSatisfiable, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE),
    (NotAcceptable, HTTPStatus.NOT_ACCEPTABLE),
    (ParquetUnavailable, HTTPStatus.NOT_IMPLEMENTED),
    (PixelsUnreadable, HTTPStatus.NOT_ACCEPTABLE),
    (BodyStalled, HTTPStatus.REQUEST_TIMEOUT),
    (BodyTooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (ObjectTooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (MediaTypeUnsupported, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
    (AmbiguousPatient, HTTPStatus.CONFLICT),
    (PositionUnknown, HTTPStatus.CONFLICT),
    (IdentityConflict, HTTPStatus.CONFLICT),
    (CorrectionRefused, HTTPStatus.CONFLICT),
    (KeyNameTaken, HTTPStatus.CONFLICT),
    (DeliveryUnderWay, HTTPStatus.CONFLICT),
    (DeliveryNotGivenUp, HTTPStatus.CONFLICT),
    (JobNotFailed, HTTPStatus.CONFLICT),
    (RescoringRefused, HTTPStatus.UNPROCESSABLE_ENTITY),
    (BytesNotKept, HTTPStatus.CONFLICT),
    (AllowingUseless, HTTPStatus.CONFLICT),
    (PeerElsewhere, HTTPStatus.CONFLICT),
    (PeerInvalid, HTTPStatus.UNPROCESSABLE_ENTITY),
    (RhythmInvalid, HTTPStatus.UNPROCESSABLE_ENTITY),
    (MatchingKeyInvalid, HTTPStatus.UNPROCESSABLE_ENTITY),
    (RuleInvalid, HTTPStatus.UNPROCESSABLE_ENTITY),
    (NotReviewable, HTTPStatus.CONFLICT),
    (ReviewedMeanwhile, HTTPStatus.CONFLICT),
    (WebhookNameTaken, HTTPStatus.CONFLICT),
    (BytesRemoved, HTTPStatus.GONE),
    (RecordNotFound, HTTPStatus.NOT_FOUND),
    (TensorsRefused, HTTPStatus.BAD_REQUEST),
    (TensorsNotScored, HTTPStatus.INTERNAL_SERVER_ERROR),
    (TooManyQuestions, HTTPStatus.SERVICE_UNAVAILABLE),
    (TooManyJobs, HTTPStatus.TOO_MANY_REQUESTS),
    (NobodyScored, HTTPStatus.SERVICE_UNAVAILABLE),
    (NotReady, HTTPStatus.SERVICE_UNAVAILABLE),
    (TooManySearches, HTTPStatus.SERVICE_UNAVAILABLE),
    (TooManyStreams, HTTPStatus.SERVICE_UNAVAILABLE),
    (StorageFull, HTTPStatus.INSUFFICIENT_STORAGE),
    (InfrastructureError, HTTPStatus.SERVICE_UNAVAILABLE),
    (SettingsInvalid, HTTPStatus.INTERNAL_SERVER_ERROR),
)


def status_of(error: NodeError) -> HTTPStatus:
    """Return the HTTP status that tells this error."""
    for kind, status in STATUSES:
        if isinstance(error, kind):
            return status
    return HTTPStatus.INTERNAL_SERVER_ERROR
