"""Bodies that are not JSON are answered in the words of Go's decoder."""

from __future__ import annotations

import msgspec
import pytest

from wharf.lib.json_complaint import json_complaint


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"{invalid json", "invalid JSON: invalid character 'i' looking for beginning of object key string"),
        (b'{"a":1,}', "invalid JSON: invalid character '}' looking for beginning of object key string"),
        (b"{1:2}", "invalid JSON: invalid character '1' looking for beginning of object key string"),
        (b"[1,]", "invalid JSON: invalid character ']' looking for beginning of value"),
        (b'{"a": x}', "invalid JSON: invalid character 'x' looking for beginning of value"),
        (b"{\"a\":'x'}", r"invalid JSON: invalid character '\'' looking for beginning of value"),
        (b'{"a" 1}', "invalid JSON: invalid character '1' after object key"),
        (b'{"a":1 "b"}', "invalid JSON: invalid character '\"' after object key:value pair"),
        (b"[1 2]", "invalid JSON: invalid character '2' after array element"),
        (b'{"a":', "invalid JSON: unexpected EOF"),
        (b"  ", "invalid JSON: got EOF while reading request body"),
        (b"{} more", "unexpected content after JSON"),
        (b"nope", "invalid JSON: JSON is malformed: invalid character (byte 4)"),
        (b"1e400", "invalid JSON: Number out of range"),
    ],
)
def test_what_is_wrong_is_said_in_the_words_of_gos_decoder(raw: bytes, message: str) -> None:
    with pytest.raises(msgspec.MsgspecError) as error:
        msgspec.json.decode(raw)

    assert json_complaint(raw, str(error.value)) == message
