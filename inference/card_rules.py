"""What the entries of a model card must keep to, beyond their types."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from core.values.profile import PROFILE_SAMPLES

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_PROFILE: Final = ("profile", (PROFILE_SAMPLES, 1), "µm")
_AGE: Final = ("age", (1,), "year")
#: Endings of the weights by format; a SavedModel is a folder of any name.
_ENDINGS: Final = {"keras": ".keras", "onnx": ".onnx"}


def check_identity(name: str, version: str, digest: str) -> None:
    """Refuse a name, version or digest that could not name a folder and pin a prediction.

    Raises
    ------
    ValueError
        Naming the rule.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise ValueError(f"a name is small letters, digits, - and _, not {name!r}")
    if not re.fullmatch(r"\d+(\.\d+)*", version):
        raise ValueError(f"a version is numbers and dots, not {version!r}")
    if not _DIGEST.fullmatch(digest):
        raise ValueError("a digest is sha256: and 64 hexadecimal digits")


def check_weights_name(weights: str, kept_as: str) -> None:
    """Refuse weights elsewhere than beside the card, or of another format than it says.

    Raises
    ------
    ValueError
        Naming the rule.
    """
    _check_beside("weights", weights)
    wanted, found = _ENDINGS.get(kept_as, ""), Path(weights).suffix
    if wanted and found != wanted:
        raise ValueError(
            f"weights of the format {kept_as} end in {wanted}, not {weights!r}: other "
            "files can run code when they are read; save the network again in that format"
        )


def check_inputs(inputs: Sequence[tuple[str, tuple[int, ...], str]]) -> None:
    """Refuse inputs that no scan gives; each is name, shape and unit.

    Raises
    ------
    ValueError
        Naming the rule.
    """
    first, *others = inputs or [("", (), "")]
    if not (first == _PROFILE or _is_fundus(first)):
        raise ValueError(
            f"the first input is profile with shape [{PROFILE_SAMPLES}, 1] in µm, or fundus with "
            f"shape [angles, radii, channels], not {first}"
        )
    if others not in ([], [_AGE]):
        raise ValueError("the second input, if there is one, is age with shape [1] in year")


def check_gate(gate: str | None, digest: str | None) -> None:
    """Refuse a gate without a digest, or one elsewhere than beside the card.

    Raises
    ------
    ValueError
        Naming the rule.
    """
    if (gate is None) != (digest is None):
        raise ValueError("gate and gate_digest go together")
    if gate is not None and digest is not None:
        _check_beside("gate", gate)
        if not _DIGEST.fullmatch(digest):
            raise ValueError("gate_digest is sha256: and 64 hexadecimal digits")


def check_stated_precision(precision: str, kept_as: str, is_measured: bool) -> None:
    """Refuse less than float32 where what it changes was not measured, or cannot be chosen.

    Raises
    ------
    ValueError
        Naming the rule.
    """
    if precision == "float32":
        return
    if kept_as != "keras":
        raise ValueError(f"precision is for Keras files; a {kept_as} file states its own")
    if not is_measured:
        raise ValueError(
            f"precision {precision} needs a [precision_check]: measure what it changes with "
            "`arcuate models check --precision`"
        )


def _is_fundus(entry: tuple[str, tuple[int, ...], str]) -> bool:
    name, shape, _ = entry
    return name == "fundus" and len(shape) == 3 and min(shape) > 0


def _check_beside(what: str, name: str) -> None:
    if Path(name).name != name or name in {"", ".", ".."} or "\\" in name:
        raise ValueError(f"the {what} lie beside the card: a plain name, not {name!r}")
