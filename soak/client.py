"""Requests to a daemon that may be killed at any instant: what cannot be told is asked again."""

from __future__ import annotations

import http.client
import json
import socket
import time
from dataclasses import dataclass
from typing import Any

PATIENCE_S = 60.0
_API = "/v1.47"


class GaveUp(Exception):
    """The daemon did not come back in time."""


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("wharf", timeout=PATIENCE_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE_S)
        self.sock.connect(self._path)


@dataclass(frozen=True, slots=True)
class Said:
    """An answer."""

    status: int
    raw: bytes
    again: bool  # an earlier attempt was cut off: it may have been done

    @property
    def document(self) -> Any:
        return json.loads(self.raw) if self.raw.strip() else None


def ask(path: str, method: str, target: str, document: object = None) -> Said:
    """Ask until there is a whole answer."""
    deadline, again = time.monotonic() + PATIENCE_S, False
    while True:
        connection = _Connection(path)
        try:
            body = None if document is None else json.dumps(document)
            connection.request(method, _API + target, body, {"Content-Type": "application/json"} if body else {})
            answer = connection.getresponse()
            return Said(answer.status, answer.read(), again)
        except (OSError, http.client.HTTPException) as error:
            if time.monotonic() > deadline:
                raise GaveUp(f"{method} {target}: {error!r}") from error
            again = again or not isinstance(error, FileNotFoundError | ConnectionRefusedError)
            time.sleep(0.05)
        finally:
            connection.close()
