"""Which model scores: the rule, on the models the record and this host know.

`ARCUATE_MODEL` as NAME:VERSION pins that model, as NAME it means the active version of that name.
Left at its default, what was activated decides, and before that the newest version of the default
name. Models of another kind than the one it names are decided by what was activated alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from core.settings import Settings
from core.tables.models import ModelState
from core.values.prediction import ModelIdentity

#: The name that scores until something is activated.
DEFAULT_MODEL: Final[str] = Settings.model_fields["model"].default
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
#: Out of the running where only a name is given: it must not score, or only beside another.
_OUT: Final = (ModelState.RETIRED, ModelState.SHADOW)


@dataclass(frozen=True)
class KnownModel:
    """A model that the record or the model store of this host knows.

    Attributes
    ----------
    kind
        What it reads.
    since
        When it came to its state; None for one the record does not know yet.
    activated_at
        When it was last activated; None where it never was.
    card
        What its card says, for people, as JSON; None where that was not read.
    """

    identity: ModelIdentity
    kind: str
    state: ModelState = ModelState.INSTALLED
    since: datetime | None = None
    activated_at: datetime | None = None
    card: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)


def chosen_model(models: Sequence[KnownModel], kind: str, setting: str) -> KnownModel | None:
    """Return the model that scores a kind of input; None where no model of that kind does.

    Parameters
    ----------
    setting
        `ARCUATE_MODEL`.
    """
    if setting != DEFAULT_MODEL:
        named = named_model(models, setting)
        if named is not None and named.kind == kind:
            return named
    for model in models:
        if model.kind == kind and model.state is ModelState.ACTIVE:
            return model
    default = named_model(models, DEFAULT_MODEL)
    return default if default is not None and default.kind == kind else None


def named_model(models: Iterable[KnownModel], name: str) -> KnownModel | None:
    """Return the model that `NAME` or `NAME:VERSION` means; None where there is none.

    A name alone means its active version, else the one last activated, else the newest; one that
    is retired or only watches is meant by its version alone.
    """
    base, _, version = name.partition(":")
    found = [model for model in models if model.identity.name == base]
    if version:
        return next((model for model in found if model.identity.version == version), None)
    found = [model for model in found if model.state not in _OUT]
    return max(found, key=_precedence, default=None)


def shown_state(model: KnownModel, models: Sequence[KnownModel], setting: str) -> ModelState:
    """Return what a model does in truth: the setting goes before what was activated."""
    if chosen_model(models, model.kind, setting) == model:
        return ModelState.ACTIVE
    return ModelState.INSTALLED if model.state is ModelState.ACTIVE else model.state


def version_key(version: str) -> tuple[int, ...]:
    """Return what orders versions: 1.10 is later than 1.9."""
    return tuple(int(part) for part in version.split("."))


def _precedence(model: KnownModel) -> tuple[bool, datetime, tuple[int, ...]]:
    is_active = model.state is ModelState.ACTIVE
    return is_active, model.activated_at or _NEVER, version_key(model.identity.version)
