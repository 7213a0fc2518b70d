"""The create document is the one that docker 28.2's own client sends: recorded from it on a fake engine."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from wharf.cli.create.document import create_document
from wharf.cli.create.flags import CONTAINER_FLAGS
from wharf.cli.flags import parse
from wharf.errors import InvalidArgument

_GOLDEN = json.loads((Path(__file__).parent / "golden" / "create.json").read_text())
_FILES = {
    "env": "# c\nA=1\n\nHOMELESS\nSHELLISH\nB=x y \n",
    "labels": "l1=a\nl2\n",
    "prof.json": '{"defaultAction": "SCMP_ACT_ALLOW"}',
}
_ENVIRONMENT = {"SHELLISH": "sh", "PASSED": "on"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, content in _FILES.items():
        (tmp_path / name).write_text(content)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _document(line: str) -> Any:
    values, arguments = parse(CONTAINER_FLAGS, shlex.split(line), interspersed=False)
    return create_document(values, arguments, _ENVIRONMENT)


def _expected(case: dict[str, Any], folder: Path) -> Any:
    differs = json.loads(json.dumps(case["differs"]).replace("{cwd}", str(folder)))
    host = {**_GOLDEN["plain"]["HostConfig"], **differs.pop("HostConfig", {})}
    return {**_GOLDEN["plain"], **differs, "HostConfig": host}


@pytest.mark.parametrize("case", [c for c in _GOLDEN["cases"] if "error" not in c], ids=lambda c: str(c["args"]))
def test_document_is_the_one_that_docker_sends(case: dict[str, Any], folder: Path) -> None:
    assert _document(case["args"]) == _expected(case, folder)


@pytest.mark.parametrize("case", [c for c in _GOLDEN["cases"] if "error" in c], ids=lambda c: str(c["args"]))
def test_wrong_line_is_refused_in_docker_s_words(case: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument) as raised:
        _document(case["args"])

    assert str(raised.value) == case["error"]


def test_console_size_is_sent_as_rows_and_columns() -> None:
    values, arguments = parse(CONTAINER_FLAGS, ["-t", "busybox"], interspersed=False)

    assert create_document(values, arguments, {}, console=(24, 80))["HostConfig"]["ConsoleSize"] == [24, 80]  # type: ignore[index]


@pytest.mark.parametrize("network", ["", "--network bridge ", "--network back "])
def test_network_rate_is_an_option_of_each_network(network: str) -> None:
    document = _document(f"{network}--network-rate 50mbit/5mbit busybox")
    endpoints = document["NetworkingConfig"]["EndpointsConfig"]

    assert [each["DriverOpts"] for each in endpoints.values()] == [{"wharf.network.rate": "50mbit/5mbit"}]
