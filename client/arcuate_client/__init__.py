"""A client of an Arcuate node: search, results in every form, events, reviews."""

from arcuate_client.client import Arcuate
from arcuate_client.errors import ArcuateError, NotFound, Refused, Unreachable

__all__ = ["Arcuate", "ArcuateError", "NotFound", "Refused", "Unreachable"]
