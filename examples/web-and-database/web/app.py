"""POST /rows stores the body as a row, GET /rows lists all rows, as JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2

_MAX_BODY_BYTES = 4096
_TABLE = "CREATE TABLE IF NOT EXISTS rows (id serial PRIMARY KEY, text text NOT NULL)"
_PASSWORD = Path("/run/secrets/password").read_text().strip()


def query(statement: str, *values: str) -> list[tuple[Any, ...]]:
    """Run one statement in a transaction of its own, and return its rows."""
    opened = psycopg2.connect(host=os.environ["DATABASE_HOST"], user="postgres", password=_PASSWORD)
    with closing(opened) as connection, connection, connection.cursor() as cursor:
        cursor.execute(_TABLE)
        cursor.execute(statement, values)
        return cursor.fetchall()


def store(text: str) -> dict[str, Any]:
    """Store ``text`` as a row, and return the row."""
    [(number,)] = query("INSERT INTO rows (text) VALUES (%s) RETURNING id", text)
    return {"id": number, "text": text}


def rows() -> list[dict[str, Any]]:
    """Return every row, oldest first."""
    return [{"id": number, "text": text} for number, text in query("SELECT id, text FROM rows ORDER BY id")]


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Serve one request (PEP 3333)."""
    answer: object
    match environ["REQUEST_METHOD"], environ["PATH_INFO"]:
        case "POST", "/rows":
            length = min(int(environ.get("CONTENT_LENGTH") or 0), _MAX_BODY_BYTES)
            status, answer = "201 Created", store(environ["wsgi.input"].read(length).decode())
        case "GET", "/rows":
            status, answer = "200 OK", rows()
        case _:
            status, answer = "404 Not Found", {"error": "there is only /rows"}
    start_response(status, [("Content-Type", "application/json")])
    return [json.dumps(answer).encode() + b"\n"]
