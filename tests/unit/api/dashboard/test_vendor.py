"""What others wrote is shipped as they published it."""

import re
from hashlib import sha256

from api.dashboard.templating import STATIC_FOLDER

_VENDOR = STATIC_FOLDER / "vendor"
_LINE = re.compile(
    r"^\| `(?P<file>[^`]+)` .*`(?P<licence>[^`]+)` \| `(?P<digest>[0-9a-f]{64})` \|$"
)


def _listed() -> list[re.Match[str]]:
    lines = (_VENDOR / "README.md").read_text().splitlines()
    return [found for line in lines if (found := _LINE.match(line))]


def test_every_script_is_what_its_authors_published() -> None:
    scripts = {path.name: sha256(path.read_bytes()).hexdigest() for path in _VENDOR.glob("*.js")}

    assert scripts == {found["file"]: found["digest"] for found in _listed()}


def test_every_script_comes_with_its_licence() -> None:
    assert [found["licence"] for found in _listed()] == [
        f"{found['file'].removesuffix('.min.js')}.LICENSE.txt" for found in _listed()
    ]
    assert all((_VENDOR / found["licence"]).read_text().strip() for found in _listed())
