from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

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


def test_what_is_not_json_is_refused_where_the_json_package_is_not_loaded() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from wharf.lib.light_json import loads\n"
        "for text in ('{', '[1,]', 'nul'):\n"
        "    try: loads(text)\n"
        "    except ValueError as error: print(error)\n"
    )
    source = str(Path(__file__).parents[3] / "src")
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, source], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (0, "", 3)
