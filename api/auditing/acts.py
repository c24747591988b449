"""What a request does, in the words of the audit trail.

Read from the route it reached, so that a new one is recorded without saying so. Names of paths and
parameters only: values hold patients' IDs and names.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.datastructures import QueryParams
from starlette.types import Scope

from core.audit.subjects import PATIENTS_OBJECTS
from core.values.audit import Actor, AuditAction, AuditEvent, AuditOutcome
from dicom_node.storage.query.attribute import ATTRIBUTES

#: Forms that search: posted, so that what is looked for stands in no address.
_SEARCH_FORMS: Final = frozenset({"/", "/live", "/patients"})
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
#: Here the provider sends a browser back, and who it is signs in: no form of ours is posted.
_CALLBACK: Final = "/login/provider/callback"
#: Nothing of a patient, or of how the node works, is told or changed here.
_OPEN: Final = ("/static/", "/health/", "/v2/health/", "/metrics", "/openapi.json", "/preferences")
#: Routes whose act the method does not tell.
_ACTIONS: Final[Mapping[tuple[str, str], AuditAction]] = {
    ("POST", "/login"): AuditAction.LOGIN,
    ("GET", _CALLBACK): AuditAction.LOGIN,
    ("POST", "/logout"): AuditAction.LOGOUT,
    ("POST", "/logout/everywhere"): AuditAction.LOGOUT,
    ("POST", "/dicom-web/studies"): AuditAction.STORE,
    ("POST", "/dicom-web/studies/{study_instance_uid}"): AuditAction.STORE,
    # A model is asked, not changed.
    ("POST", "/v2/models/{name}/infer"): AuditAction.READ,
    ("POST", "/v2/models/{name}/versions/{version}/infer"): AuditAction.READ,
    ("GET", "/v1/audit"): AuditAction.AUDIT,
    ("GET", "/audit"): AuditAction.AUDIT,
}
#: What leaves as a document, a table or an object of its own.
_EXPORTED: Final = (".dcm", ".pdf", ".fhir.json", ".csv", ".parquet", ".zip", "/object")
_WADO: Final = "/dicom-web/studies/{study}"
#: Lists of what is patients'; those of jobs, peers or models name nobody.
_LISTS: Final = ("/v1/patients", "/v1/studies", "/v1/predictions", "/dicom-web/")
_MADE: Final = 201
_UNAUTHORIZED: Final = 401
#: A UUID of ours, or a UID.
_OWN_IDENTIFIER: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+(\.\d+){3,}")
_CREDENTIALS: Final = ("authorization", "x-api-key", "cookie")
_SINGULAR: Final = {"studies": "study", "deliveries": "delivery", "series": "series"}
#: Values of a path that must not be repeated: a Patient ID, a secret.
_HIDDEN: Final = frozenset({"patient_id", "token"})


@dataclass(frozen=True)
class Act:
    """One request, once its route is known."""

    scope: Scope

    @property
    def is_open(self) -> bool:
        """Whether it is nobody's business who asks."""
        path = str(self.scope["path"])
        return path.startswith(_OPEN) or (path == "/login" and not self.is_change)

    @property
    def is_change(self) -> bool:
        """Whether it may change something."""
        method, path = self.scope["method"], self.scope["path"]
        if path == _CALLBACK:
            return True
        return method not in _SAFE and path not in _SEARCH_FORMS

    @property
    def route(self) -> str:
        """The route's path, with the names of what stands in it; empty where none was reached."""
        route = self.scope.get("route")
        return route.path if isinstance(route, APIRoute) else ""

    @property
    def concerns_patients(self) -> bool:
        """Whether it names something that is a patient's."""
        return self._subject()[0] in PATIENTS_OBJECTS

    @property
    def lists_patients(self) -> bool:
        """Whether it looks for patients or what is theirs, found or not."""
        return self.route in _SEARCH_FORMS or self.route.startswith(_LISTS)

    @property
    def is_export(self) -> bool:
        """Whether what it answers is a document or a table of results."""
        return self.route.endswith(_EXPORTED)

    @property
    def is_about_the_trail(self) -> bool:
        """Whether it shows the audit trail itself."""
        return _ACTIONS.get((self.scope["method"], self.route)) is AuditAction.AUDIT

    @property
    def shows_credentials(self) -> bool:
        """Whether it came with a key, right or wrong."""
        return any(name.decode("latin-1") in _CREDENTIALS for name, _ in self.scope["headers"])

    def event(self, status: int | None = None) -> AuditEvent:
        """Return what is done.

        Parameters
        ----------
        status
            Of the answer; None while it is not known: then it goes well.
        """
        kind, identifier = self._subject()
        detail: dict[str, Any] = {"route": self.route or "none", "method": self.scope["method"]}
        outcome = _outcome(status)
        if outcome is not AuditOutcome.SUCCESS:
            detail["status"] = status or 0
            # Of what is not there the path says whatever was typed: perhaps a patient's ID.
            identifier = identifier if _OWN_IDENTIFIER.fullmatch(identifier) else ""
        elif names := sorted(set(self._filters())):
            detail["filters"] = names
        client = self.scope.get("client")
        return AuditEvent(
            Actor("unknown", address=str(client[0]) if client else ""),
            self._action(status, kind, identifier),
            kind,
            identifier,
            outcome=outcome,
            detail=detail,
        )

    def _action(self, status: int | None, kind: str, identifier: str) -> AuditAction:
        method = str(self.scope["method"])
        named = _ACTIONS.get((method, self.route))
        is_refused = status is not None and status >= 400
        if status == _UNAUTHORIZED or (named is AuditAction.LOGIN and is_refused):
            return AuditAction.LOGIN_FAILED
        if named is not None:
            return named
        if method == "DELETE":
            return AuditAction.DELETE
        if self.is_change:
            return AuditAction.CREATE if status == _MADE else AuditAction.CHANGE
        return self._reading(bool(kind))

    def _reading(self, is_of_one: bool) -> AuditAction:
        if self.is_export:
            return AuditAction.EXPORT
        if self.route.startswith(_WADO):
            is_qido = self.route.endswith(("/series", "/instances"))
            return AuditAction.SEARCH if is_qido else AuditAction.RETRIEVE
        return AuditAction.READ if is_of_one else AuditAction.SEARCH

    def _subject(self) -> tuple[str, str]:
        """Return kind and identifier of what the path names; a list names nothing."""
        values = self.scope.get("path_params", {})
        found = ("", "")
        is_wado = self.route.startswith(_WADO)
        for before, name in _parameters(self.route):
            kind = _SINGULAR.get(before, before.removesuffix("s"))
            value = "" if name in _HIDDEN else str(values.get(name, ""))
            # In a path of DICOMweb the last UID says which, elsewhere the first name does.
            if not found[0] or (is_wado and kind in PATIENTS_OBJECTS):
                found = (kind, value)
        return found

    def _filters(self) -> Iterator[str]:
        route = self.scope.get("route")
        declared = set(_declared(route.dependant)) if isinstance(route, APIRoute) else set()
        for name in QueryParams(self.scope.get("query_string", b"")):
            is_known = name in declared or name in ATTRIBUTES
            # A stranger may write a patient's name in the place of a parameter's.
            yield name if is_known else "other"


def _outcome(status: int | None) -> AuditOutcome:
    if status is None or status < 400:
        return AuditOutcome.SUCCESS
    return AuditOutcome.REFUSED if status < 500 else AuditOutcome.FAILED


def _parameters(route: str) -> Iterator[tuple[str, str]]:
    """Yield each parameter of a path with the part before it."""
    parts = route.strip("/").split("/")
    for before, part in pairwise(parts):
        if part.startswith("{") and not before.startswith("{"):
            yield before, part.strip("{}").partition(":")[0]


def _declared(dependant: Dependant) -> Iterator[str]:
    for parameter in dependant.query_params:
        model = parameter.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield from model.model_fields
        else:
            yield parameter.alias
    for dependency in dependant.dependencies:
        yield from _declared(dependency)
