from base64 import b64encode
from pathlib import Path

import httpx
import pytest

from arcuate.demo_page import save_page

PAGE = """<html><head><link rel="stylesheet" href="/static/style.css">
<script src="/static/live.js" defer></script></head>
<body><img src="/predictions/1/field.png" alt="field"><a href="/predictions/1/field.png">large</a>
<svg><image href="/predictions/1/fundus.jpg"/></svg><img src="/predictions/1/scan.jpg" alt="scan">
<a href="/predictions">all</a></body></html>"""
PICTURE, PHOTOGRAPH = b"\x89PNG picture", b"\xff\xd8 photograph"


def site(missing: str = "") -> httpx.Client:
    """A site of one page; one of its addresses may be missing."""

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == missing:
            return httpx.Response(404)
        if path.endswith(".png"):
            return httpx.Response(200, content=PICTURE, headers={"Content-Type": "image/png"})
        if path.endswith(".jpg"):
            return httpx.Response(200, content=PHOTOGRAPH, headers={"Content-Type": "image/jpeg"})
        return httpx.Response(200, text="p { color: red }" if path.endswith(".css") else PAGE)

    return httpx.Client(transport=httpx.MockTransport(answer), base_url="http://node")


def test_saved_page_needs_nothing_from_the_node(tmp_path: Path) -> None:
    with site() as client:
        saved = save_page(client, "/predictions/1", tmp_path / "page.html")

    page = Path(saved).read_text("utf-8")
    assert "<style>p { color: red }</style>" in page
    assert page.count(f'"data:image/png;base64,{b64encode(PICTURE).decode()}"') == 2
    assert page.count(f'"data:image/jpeg;base64,{b64encode(PHOTOGRAPH).decode()}"') == 2
    assert [part for part in (".png", ".jpg", ".css", "<script") if part in page] == []
    assert '<a href="/predictions">all</a>' in page


@pytest.mark.parametrize(
    "missing",
    [
        *("/predictions/1", "/static/style.css"),
        *("/predictions/1/field.png", "/predictions/1/scan.jpg"),
    ],
)
def test_page_with_a_missing_part_is_an_error(tmp_path: Path, missing: str) -> None:
    with site(missing) as client, pytest.raises(httpx.HTTPStatusError):
        save_page(client, "/predictions/1", tmp_path / "page.html")

    assert list(tmp_path.iterdir()) == []
