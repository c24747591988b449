"""One node over HTTP: answers taken apart, refusals raised."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import httpx

from arcuate_client.errors import NotFound, Refused, Unreachable

_NOTHING_THERE: Final = (404, 410)


class Connection:
    """Asks one node.

    Parameters
    ----------
    url
        As `http://127.0.0.1:8080`.
    key
        An API key of `arcuate keys create`; None where the node asks for none.
    timeout_seconds
        Longest wait for an answer to begin or to go on.
    verify
        As httpx takes it: False or a context of TLS for a node with a certificate of its own.
    """

    def __init__(
        self, url: str, key: str | None, timeout_seconds: float, verify: Any = True
    ) -> None:
        headers = {"X-API-Key": key} if key else {}
        self._client = httpx.Client(
            base_url=url, headers=headers, timeout=timeout_seconds, verify=verify
        )

    def close(self) -> None:
        """Close it."""
        self._client.close()

    def get_json(self, path: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """Return what is there.

        Raises
        ------
        NotFound, Refused
            If the node refuses.
        Unreachable
            If it does not answer.
        """
        return self._asked("GET", path, params=parameters).json()

    def get_bytes(self, path: str) -> bytes:
        """Return what is there; errors as `get_json`."""
        return self._asked("GET", path).content

    def post_json(self, path: str, content: Mapping[str, Any]) -> Any:
        """Send a document and return the answer; errors as `get_json`."""
        return self._asked("POST", path, json=content).json()

    @contextmanager
    def stream(
        self, path: str, parameters: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> Generator[httpx.Response]:
        """Open an answer that is read piece by piece; errors as `get_json`, also while reading."""
        try:
            with self._client.stream("GET", path, params=parameters, headers=headers) as answer:
                if answer.is_error:
                    answer.read()
                    raise _refusal(answer)
                yield answer
        except httpx.TransportError as error:
            raise _unreachable(error) from error

    def _asked(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            answer = self._client.request(method, path, **more)
        except httpx.TransportError as error:
            raise _unreachable(error) from error
        if answer.is_error:
            raise _refusal(answer)
        return answer


def _unreachable(error: httpx.TransportError) -> Unreachable:
    return Unreachable(f"The node does not answer ({type(error).__name__}): {error}")


def _refusal(answer: httpx.Response) -> Refused:
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    problem = problem if isinstance(problem, dict) else {}
    kind = NotFound if answer.status_code in _NOTHING_THERE else Refused
    return kind(answer.status_code, problem)
