import json

import pytest
from fastapi import Request

from api.errors import (
    AskedTooOften,
    BodyMalformed,
    BodyStalled,
    BodyTooLarge,
    CursorInvalid,
    LoginRefused,
    MediaTypeUnsupported,
    NotAcceptable,
    NotReady,
    NotSignedIn,
    TokenRefused,
)
from api.problem_statuses import STATUSES, status_of
from api.problems import answer_unexpected, headers_of, kind_of
from core.database import DatabaseAway
from core.errors import NodeError, RecordNotFound
from core.keys import KeyNameTaken
from core.patients import AmbiguousPatient
from dicom_node.errors import ObjectTooLarge, StorageAway, StorageFull


class _Unlisted(NodeError):
    """An error no class of the map names."""


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotSignedIn(), 401),
        (LoginRefused(), 401),
        (CursorInvalid(), 400),
        (RecordNotFound(), 404),
        (AmbiguousPatient(["A", "B"]), 409),
        (KeyNameTaken(), 409),
        (DatabaseAway(), 503),
        (StorageFull(), 507),
        (StorageAway(), 503),
        (ObjectTooLarge(), 413),
        (BodyTooLarge(), 413),
        (BodyStalled(), 408),
        (BodyMalformed(), 400),
        (NotAcceptable(), 406),
        (MediaTypeUnsupported(), 415),
        (NotReady({}), 503),
        (_Unlisted(), 500),
    ],
)
def test_status_tells_the_error(error: NodeError, status: int) -> None:
    assert status_of(error) == status


def test_every_class_of_the_map_gets_its_own_status() -> None:
    # A class listed after one it inherits from would never be reached.
    shadowed = [
        later.__name__
        for index, (later, _) in enumerate(STATUSES)
        for earlier, _ in STATUSES[:index]
        if issubclass(later, earlier)
    ]

    assert shadowed == []


def test_unexpected_error_says_nothing_of_its_content() -> None:
    request = Request({"type": "http", "path": "/v1/patients", "headers": []})

    answer = answer_unexpected(request, ValueError("Sample^Eye"))

    assert answer.status_code == 500
    assert json.loads(answer.body) == {
        "type": "urn:arcuate:problem:internal",
        "title": "Internal Server Error",
        "status": 500,
        "detail": "The node could not answer; its log says more",
    }


def test_problem_kind_is_the_class_name_in_kebab_case() -> None:
    assert kind_of(AmbiguousPatient([])) == "ambiguous-patient"


def test_status_that_passes_says_when_to_try_again() -> None:
    assert headers_of(DatabaseAway()) == {"Retry-After": "5"}
    assert headers_of(AskedTooOften(1.2)) == {"Retry-After": "2"}
    assert headers_of(RecordNotFound()) is None


def test_refusal_of_a_credential_says_how_to_show_one() -> None:
    assert headers_of(NotSignedIn()) == {"WWW-Authenticate": "Bearer"}
    refused = headers_of(TokenRefused("it is expired"))
    assert refused == {"WWW-Authenticate": 'Bearer error="invalid_token"'}
