"""The keys that detach a client: "ctrl-p,ctrl-q", "a,ctrl-[" and the like (docker attach, "--detach-keys")."""

from __future__ import annotations

from wharf.errors import InvalidArgument

DEFAULT = [0x10, 0x11]
_CONTROLS = {"@": 0, "[": 27, "\\": 28, "]": 29, "^": 30, "_": 31}


def parse_detach_keys(text: str | None) -> list[int]:
    r"""Return the bytes of a key sequence; Docker's own for None or "".

    Raises:
        InvalidArgument: a key is neither a character nor ctrl- with a letter or one of @[\\]^_.
    """
    if not text:
        return list(DEFAULT)
    return [_key(key) for key in text.split(",")]


def _key(key: str) -> int:
    if len(key) == 1 and key.isascii():
        return ord(key)
    control = key.removeprefix("ctrl-")
    if control != key and len(control) == 1:
        if control.isascii() and control.isalpha():
            return ord(control.lower()) - ord("a") + 1
        if control in _CONTROLS:
            return _CONTROLS[control]
    raise InvalidArgument(f"Unknown character: '{key}'")
