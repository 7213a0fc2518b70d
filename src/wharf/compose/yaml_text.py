"""Plain values to YAML text in docker compose's style: block style, two spaces, texts quoted only where they must be.

Own code instead of PyYAML's emitter: that one reads ``on`` and ``yes`` as booleans but not as texts that need quotes
for others, folds long lines, does not indent sequences, and takes most of `config`'s time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from wharf.compose.load.yaml import scalar

# Words that YAML 1.1 readers take for booleans: quoted, so that they stay texts there too.
_OLD_BOOLEANS = frozenset(
    {"y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off", "OFF"}
)
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?\Z")
_TIMESTAMP = re.compile(r"\d{4}-\d\d?-\d\d?(?:[Tt ].*)?\Z")
_INDICATOR = re.compile(r"[,\[\]{}#&*!|>'\"%@`]|[-?:](?:\s|\Z)|---|\.\.\.")
_INSIDE = re.compile(r":(?:\s|\Z)|\s#|\s\Z|\A\s")
# Line breaks other than \n among them.
_UNPRINTABLE = re.compile(r"[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def to_yaml(value: object) -> str:
    """Return a value of mappings, sequences, texts, numbers, booleans and None as YAML."""
    if isinstance(value, (dict, list)) and value:
        return "".join(f"{line}\n" for line in _block(value, ""))
    return f"{_inline(value)}\n"


def _block(value: dict[str, object] | list[object], indent: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _entry(f"{indent}{_text(key)}:", item, indent)
        return
    for item in value:
        if isinstance(item, (dict, list)) and item:
            first, *rest = _block(item, f"{indent}  ")
            yield f"{indent}- {first.lstrip(' ')}"
            yield from rest
        else:
            yield from _entry(f"{indent}-", item, indent)


def _entry(head: str, item: object, indent: str) -> Iterator[str]:
    if isinstance(item, (dict, list)) and item:
        yield head
        yield from _block(item, f"{indent}  ")
    elif isinstance(item, str) and _literal(item):
        kept = item.rstrip("\n")
        ends = len(item) - len(kept)
        yield f"{head} |{'-' if not ends else '' if ends == 1 else '+'}"
        for line in (kept + "\n" * max(ends - 1, 0)).split("\n"):
            yield f"{indent}  {line}" if line else ""
    else:
        yield f"{head} {_inline(item)}"


def _literal(text: str) -> bool:
    """Return whether a text can be a literal block: several lines, the first not beginning with a space."""
    return (
        "\n" in text
        and not text.startswith((" ", "\t", "\n"))
        and " \n" not in text
        and not _UNPRINTABLE.search(text)
    )


def _inline(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case dict():
            return "{}"
        case list():
            return "[]"
        case str():
            return _text(value)
        case _:
            return _number(value)


def _number(value: object) -> str:
    text = str(value)
    return {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}.get(text, text)


def _text(text: str) -> str:
    if _UNPRINTABLE.search(text) or "\n" in text or "\t" in text or _is_taken(text):
        return _UNPRINTABLE.sub(_escaped, json.dumps(text, ensure_ascii=False))
    if _INDICATOR.match(text) or _INSIDE.search(text):
        return "'" + text.replace("'", "''") + "'"
    return text


def _escaped(match: re.Match[str]) -> str:
    point = ord(match[0])
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


def _is_taken(text: str) -> bool:
    """Return whether a plain scalar of this text would be read as something else."""
    if text in _OLD_BOOLEANS or not isinstance(scalar(text), str):
        return True
    return (text[:1] in "0123456789+-" and bool(_BASE_60.match(text) or _TIMESTAMP.match(text))) or text in {
        "<<",
        "=",
    }
