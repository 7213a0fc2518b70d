"""JSON by the interpreter's own C scanner and encoder, without the json package.

``import json`` pulls in ``re`` and ``enum`` and doubles the start-up of a command line (10 ms of 20). The C
accelerators under it are enough for documents of an API. Where an interpreter does not have them as we
know them, the json package is used: same results, slower start.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

try:
    from _json import encode_basestring, make_encoder, make_scanner
except ImportError:  # not CPython
    make_scanner = None  # type: ignore[assignment,misc]  # decided once, below


class _Rules:
    """What the C scanner asks its caller: the defaults of json.JSONDecoder."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int

    def __init__(self) -> None:
        self.memo: dict[str, str] = {}

    @staticmethod
    def parse_constant(name: str) -> object:
        raise ValueError(f"{name} is not JSON")


_SPACE = " \t\n\r"


def loads(text: str) -> object:
    """Return the value ``text`` holds.

    Raises:
        ValueError: it is not one JSON value.
    """
    if make_scanner is None:
        return _slow_loads(text)
    start = len(text) - len(text.lstrip(_SPACE))
    try:
        value, end = make_scanner(_Rules())(text, start)  # type: ignore[arg-type]  # typeshed's idea of it
    except StopIteration as stop:
        raise ValueError(f"not JSON at character {stop.value}") from None
    except SystemError:  # up to Python 3.11: it wants to raise what only the json package defines, were that loaded
        raise ValueError(_why_not(text)) from None
    if text[end:].strip(_SPACE):
        raise ValueError(f"not JSON at character {end}")
    return value


def dumps(value: object) -> str:
    """Return ``value`` as compact JSON, other alphabets as they are (as Go's encoder writes them)."""
    encode = _encoder()
    return encode(value) if encode else _slow_dumps(value)


def quote(text: str) -> str:
    """Return ``text`` as a JSON string, other alphabets as they are."""
    return _slow_dumps(text) if make_scanner is None else encode_basestring(text)


def dumps_pretty(value: object, *, indent: str = "    ") -> str:
    """Return ``value`` as indented JSON, with Go's spelling of what is empty."""
    return "".join(_pretty(value, "\n", indent))


def _pretty(value: object, newline: str, indent: str) -> list[str]:
    inner = newline + indent
    out: list[str] = []
    if isinstance(value, dict) and value:
        for key, item in value.items():
            out += [",", inner] if out else ["{", inner]
            out += [dumps(str(key)), ": ", *_pretty(item, inner, indent)]
        out += [newline, "}"]
    elif isinstance(value, (list, tuple)) and value:
        for item in value:
            out += [",", inner] if out else ["[", inner]
            out += _pretty(item, inner, indent)
        out += [newline, "]"]
    else:
        out.append(dumps(value))
    return out


def _refuse(value: object) -> object:
    raise TypeError(f"{type(value).__name__} is not JSON")


def _encoder() -> Callable[[object], str] | None:
    if make_scanner is None:
        return None
    try:
        chunks = make_encoder(None, _refuse, encode_basestring, None, ":", ",", False, False, False)  # noqa: FBT003
    except TypeError:  # an interpreter whose accelerator takes other arguments
        return None
    return lambda value: "".join(chunks(value, 0))


def _why_not(text: str) -> str:
    try:
        _slow_loads(text)
    except ValueError as error:
        return str(error)
    return "not JSON"


def _slow_loads(text: str) -> object:
    import json  # noqa: PLC0415  # only where the fast way is missing

    value: object = json.loads(text)
    return value


def _slow_dumps(value: object) -> str:
    import json  # noqa: PLC0415  # only where the fast way is missing

    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
