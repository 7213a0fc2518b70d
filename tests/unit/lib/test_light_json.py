from __future__ import annotations

import json

import pytest

from wharf.lib.light_json import dumps, dumps_pretty, loads, quote

_VALUES = [None, True, 1.5, -3, 'ü\n"', [], {}, [1, {"a": [None, {"b": "c"}]}], {"x": {}, "y": [], "z": [[1]]}]


@pytest.mark.parametrize("value", _VALUES, ids=repr)
def test_it_writes_and_reads_what_the_json_package_does(value: object) -> None:
    assert dumps(value) == json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    assert dumps_pretty(value) == json.dumps(value, indent=4, ensure_ascii=False)
    assert loads(f" {json.dumps(value)}\n") == value


@pytest.mark.parametrize("text", ["", "ü", 'a"b\\', "\n\x00", "\N{SNOWMAN}"])
def test_it_quotes_as_the_json_package_does(text: str) -> None:
    assert quote(text) == json.dumps(text, ensure_ascii=False)


@pytest.mark.parametrize("text", ["", " ", "{", "[1,]", "{} x", "NaN", '"\n"', "nul"])
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        loads(text)
