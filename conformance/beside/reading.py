"""How an answer is read so that two can be compared: what differs between any two daemons is named by its role."""

from __future__ import annotations

import base64
import io
import json
import re
import tarfile
from collections.abc import Callable, Mapping
from typing import Any, Final

from conformance.beside.exchange import Answer

HEADERS: Final = (
    "content-type", "api-version", "docker-experimental", "ostype", "x-docker-container-path-stat", "builder-version",
    "swarm", "upgrade", "connection", "cache-control", "pragma", "location", "allow",
)  # fmt: skip
_RULES: Final = tuple(
    (re.compile(pattern), role)
    for pattern, role in (
        (r"\b(?!0001-01-01)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", "<time>"),
        (r"\bsha256:[0-9a-f]{64}\b", "<digest>"),
        (r"\b[0-9a-f]{64}\b", "<id>"),
        (r"\b[0-9a-f]{12}\b", "<short id>"),
        (r"\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b", "<mac>"),
        (r"^/[a-z]+_[a-z]+\d?$", "/<any name>"),
        (r"\b(172|10|192)\.\d+\.\d+\.(?!0\b)\d+\b", "<address>"),
        (r"\b(3[2-9]\d{3}|[45]\d{4}|6[0-5]\d{3})\b", "<port>"),
    )
)
_NUMBERS: Final = frozenset({"Pid", "time", "timeNano", "Created", "SizeRw", "SizeRootFs", "Size", "SharedSize"})


def read(answer: Answer, look: str, names: Mapping[str, str]) -> Any:
    """Return what an answer says, fit to be compared: ``names`` are the ids and places of this side, by role."""
    said: dict[str, Any] = {"status": answer.status}
    said["headers"] = {name: _plain(answer.headers[name], names) for name in HEADERS if name in answer.headers}
    if stat := said["headers"].pop("x-docker-container-path-stat", None):
        said["stat"] = _normal(_json(base64.b64decode(stat)), names)
    if not answer.ended:
        said["ended"] = False
    said["body"] = _body(answer, look, names)
    return said


def _body(answer: Answer, look: str, names: Mapping[str, str]) -> Any:
    if answer.status < 300 and look in _LOOKS:
        return _LOOKS[look](answer.body, names)
    return _normal(_json(answer.body), names)


_Look = Callable[[bytes, Mapping[str, str]], Any]
_LOOKS: Final[dict[str, _Look]] = {
    "frames": lambda body, names: _normal(_frames(body), names),
    "lines": lambda body, names: [_normal(_json(line), names) for line in body.splitlines() if line.strip()],
    "tar": lambda body, names: _normal(_archive(body), names),
    "shape": lambda body, _: _shape(_json(body)),
    "sorted": lambda body, names: sorted(_normal(_json(body), names) or (), key=repr),
    "bytes": lambda body, names: _plain(body.decode(errors="backslashreplace"), names),
}
"""How a successful answer is read, by :attr:`conformance.beside.steps.Step.look`."""


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text.decode(errors="backslashreplace")


def _frames(stream: bytes) -> list[list[object]]:
    """Return the streams' texts in order, those of one stream in a row as one."""
    found: list[list[object]] = []
    while len(stream) >= 8:
        kind, size = stream[0], int.from_bytes(stream[4:8])
        text, stream = stream[8 : 8 + size].decode(errors="backslashreplace"), stream[8 + size :]
        if found and found[-1][0] == kind:
            found[-1][1] = f"{found[-1][1]}{text}"
        else:
            found.append([kind, text])
    return [*found, ["rest", stream.decode(errors="backslashreplace")]] if stream else found


def _archive(body: bytes) -> list[dict[str, object]] | str:
    try:
        with tarfile.open(fileobj=io.BytesIO(body)) as archive:
            return [
                {
                    "name": one.name, "kind": one.type.decode(), "mode": oct(one.mode), "owner": [one.uid, one.gid],
                    "link": one.linkname, "size": one.size, "names": [one.uname, one.gname],
                    "more": sorted(set(one.pax_headers) - {"mtime", "atime", "ctime"}),
                }
                for one in archive
            ]  # fmt: skip
    except tarfile.TarError as error:
        return f"no archive: {error}"


def _shape(value: Any) -> Any:
    """Return a document with the kinds of its values in their places."""
    match value:
        case dict():
            return {key: _shape(item) for key, item in value.items()}
        case list():
            return [_shape(item) for item in value[:1]]
        case str() | None:
            return type(value).__name__
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def _normal(value: Any, names: Mapping[str, str], key: str = "") -> Any:
    match value:
        case dict():
            return {_plain(one, names): _normal(item, names, one) for one, item in value.items()}
        case list():
            return [_normal(item, names, key) for item in value]
        case str():
            return _plain(value, names)
        case int() if key in _NUMBERS and not isinstance(value, bool) and value > 0:
            return "<number>"
    return value


def _plain(text: str, names: Mapping[str, str]) -> str:
    for role, name in names.items():
        text = text.replace(name, f"<{role}>")
        if re.fullmatch(r"[0-9a-f]{64}", name):
            text = text.replace(name[:12], f"<{role}, short>")
    for pattern, role in _RULES:
        text = pattern.sub(role, text)
    return text
