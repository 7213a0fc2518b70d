"""What is wrong with a document that is not JSON, in the words of Go's decoder: Docker's clients and tests know them.

Pure.
"""

from __future__ import annotations

import re
from typing import Final

_AT: Final = re.compile(r"JSON is malformed: (.*) \(byte (\d+)\)")
_IN_GO: Final = {  # what msgspec says, and what encoding/json says of the same character
    "object keys must be strings": "looking for beginning of object key string",
    "trailing comma in object": "looking for beginning of object key string",
    "trailing comma in array": "looking for beginning of value",
    "expected ':'": "after object key",
    "expected ',' or '}'": "after object key:value pair",
    "expected ',' or ']'": "after array element",
}
_LITERALS: Final = b"ntf"  # null, true, false: of these Go names the letter that it expects


def json_complaint(raw: bytes, said: str) -> str:
    """Return the message for a body that msgspec could not decode, with what msgspec ``said`` of it."""
    if said == "Input data was truncated":
        return "invalid JSON: unexpected EOF" if raw.strip() else "invalid JSON: got EOF while reading request body"
    if (found := _AT.fullmatch(said)) is None:
        return f"invalid JSON: {said}"
    what, at = found[1], int(found[2])
    if what == "trailing characters":
        return "unexpected content after JSON"
    begins_value = what == "invalid character" and raw[:at].rstrip()[-1:] in (b"", b":", b",", b"[")
    if begins_value and raw[at : at + 1] not in _LITERALS:
        what = "trailing comma in array"  # a value begins here too
    if what not in _IN_GO:
        return f"invalid JSON: {said}"
    return f"invalid JSON: invalid character {_quoted(raw[at])} {_IN_GO[what]}"


def _quoted(byte: int) -> str:
    """Return a byte as Go quotes the character of that number."""
    return r"'\''" if byte == ord("'") else f"'{repr(chr(byte))[1:-1]}'"
