"""The HTTP application: every route of the node, made once from its parts."""

import importlib.metadata
from typing import Any, Final

from anyio import CapacityLimiter
from fastapi import Depends, FastAPI
from fastapi.staticfiles import StaticFiles

from api.access import Access
from api.auditing.middleware import Audited
from api.body_limit import BodyLimit
from api.cors import CrossOrigin
from api.dashboard.preferences import Preferences
from api.dashboard.register import PAGES
from api.dashboard.templating import STATIC_FOLDER
from api.dependencies import Node
from api.dicomweb import register as dicomweb
from api.dicomweb.objects import KeptObjects
from api.dicomweb.search_places import SearchPlaces
from api.dicomweb.stow import STORE_PATH
from api.door import Door
from api.events.streams import EventStreams
from api.form_tokens import FormTokens
from api.gate import Gate
from api.headers import STATIC_PATH, SecurityHeaders
from api.metrics.exposition import open_registry
from api.metrics.reading import MetricReader
from api.problems import install_problems
from api.rest import metrics
from api.rest.register import ROUTERS
from api.routes import DOCUMENT, MONITORED, OPEN, access_of
from api.schemas.problem import Problem
from api.scoring.questions import TENSOR_PATHS, Questions
from api.security import REQUIRE_CALLER
from core.audit.trail import watch_rows
from core.database import Database
from core.monthly_memory import MonthlyMemory
from core.settings import Settings
from core.values.prediction import ESTIMATE_NOTICE
from dicom_node.storage.archive import open_archive
from dicom_node.storage.bytes import Storage

#: Threads that may write objects at a time; the others of the process answer everything else.
_STORE_THREADS: Final = 4
#: A body to store may be as long as this many of the largest objects.
_LARGEST_OBJECTS_A_BODY: Final = 64

_DESCRIPTION: Final = f"""
Estimated 24-2 visual fields from scans of the optic disc, by patient, study and prediction.

**{ESTIMATE_NOTICE}**

Lists come in pages: pass `next` back as `cursor`. Times are RFC 3339 in UTC. Errors are problem
documents (RFC 9457). Every route but `/health` and `/metrics` needs a key of `arcuate keys create`.
"""


class Application(FastAPI):
    """FastAPI whose document describes errors as the problem documents they are."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        document = super().openapi()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        if "Problem" not in schemas:
            schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(schema.pop("$defs", {}))
            schemas["Problem"] = schema
        return document


def create_app(settings: Settings, database: Database, storage: Storage) -> FastAPI:
    """Return the application of a node.

    Parameters
    ----------
    database
        Migrated; stays the caller's to close.
    storage
        Where reports and scan pictures are kept.
    """
    app = Application(
        title="Arcuate",
        version=importlib.metadata.version("arcuate"),
        description=_DESCRIPTION,
        # The pages with examples load their scripts from elsewhere; the document is a route below.
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    archive = open_archive(settings, database, storage)
    app.state.node = Node(settings, database, storage, archive, MonthlyMemory(database))
    app.state.objects = KeptObjects(storage, archive.maximum_object_bytes)
    app.state.store_threads = CapacityLimiter(_STORE_THREADS)
    app.state.metrics = open_registry(MetricReader(app.state.node))
    app.state.search_places = SearchPlaces()
    app.state.event_streams = EventStreams(database, settings.event_streams)
    app.state.door = Door(settings)
    app.state.questions = Questions(database)
    install_problems(app)
    watch_rows()
    # Added first, so it is the innermost: it sees what the routes answer, errors told as problems.
    app.add_middleware(Audited, database=database, repeat_seconds=settings.audit_repeat_seconds)
    app.add_middleware(FormTokens)
    app.add_middleware(
        BodyLimit,
        store_path=STORE_PATH,
        largest_store_bytes=_LARGEST_OBJECTS_A_BODY * archive.maximum_object_bytes,
        tensor_paths=TENSOR_PATHS,
    )
    app.add_middleware(CrossOrigin, origins=settings.allowed_origins)
    app.add_middleware(Preferences)
    # Added last, so it is the outermost: refusals of the others get the headers too.
    app.add_middleware(SecurityHeaders, settings=settings)
    _include(app, settings)
    return app


def _include(app: FastAPI, settings: Settings) -> None:
    for router in OPEN:
        is_closed = router is metrics.ROUTER and settings.metrics_need_key
        app.include_router(router, dependencies=_guards(MONITORED) if is_closed else [])
    for router in (*ROUTERS, *dicomweb.ROUTERS, *PAGES):
        app.include_router(router, dependencies=_guards(access_of(router)))
    app.mount(STATIC_PATH, StaticFiles(directory=STATIC_FOLDER))
    app.add_api_route(
        "/openapi.json",
        app.openapi,
        include_in_schema=False,
        dependencies=[REQUIRE_CALLER, Depends(Gate(DOCUMENT))],
    )


def _guards(access: Access) -> list[Any]:
    return [REQUIRE_CALLER, Depends(Gate(access))]
