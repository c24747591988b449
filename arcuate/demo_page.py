"""Saving a page of the dashboard as one file that opens without the node."""

import base64
import re
from pathlib import Path
from typing import Final
from urllib.parse import urljoin

import httpx

_STYLE: Final = re.compile(r'<link rel="stylesheet" href="([^"]+)"[^>]*>')
_SCRIPT: Final = re.compile(r'<script[^>]*src="[^"]+"[^>]*></script>')
_PICTURE: Final = re.compile(r'((?:src|href)=")(/[^"]+\.(?:png|jpg))(")')


def save_page(client: httpx.Client, address: str, path: Path) -> str:
    """Save a page with its style and pictures inside it and return the file's path."""
    answer = client.get(address)
    answer.raise_for_status()

    def style(found: re.Match[str]) -> str:
        return f"<style>{_get(client, address, found[1]).text}</style>"

    def picture(found: re.Match[str]) -> str:
        return found[1] + _inline(client, address, found[2]) + found[3]

    page = _PICTURE.sub(picture, _SCRIPT.sub("", _STYLE.sub(style, answer.text)))
    path.write_text(page, "utf-8")
    return str(path)


def _inline(client: httpx.Client, page: str, address: str) -> str:
    answer = _get(client, page, address)
    content = base64.b64encode(answer.content).decode()
    return f"data:{answer.headers['content-type']};base64,{content}"


def _get(client: httpx.Client, page: str, address: str) -> httpx.Response:
    answer = client.get(urljoin(page, address))
    answer.raise_for_status()
    return answer
