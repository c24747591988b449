"""What every request may use, and how a route asks for it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from core.database import Database
from core.monthly_memory import MonthlyMemory
from core.settings import Settings
from dicom_node.storage.archive import Archive
from dicom_node.storage.bytes import Storage


@dataclass(frozen=True)
class Node:
    """The parts of the node that answer HTTP requests."""

    settings: Settings
    database: Database
    storage: Storage
    archive: Archive
    monthly: MonthlyMemory


def node_of(request: HTTPConnection) -> Node:
    """Return the node the application was created for."""
    node: Node = request.app.state.node
    return node


async def _node(request: Request) -> Node:
    # Nothing here waits: a thread would cost more than the answer.
    return node_of(request)


#: A route's parameter: the node.
NodeParameter = Annotated[Node, Depends(_node)]
