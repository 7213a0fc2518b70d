from __future__ import annotations

from pathlib import Path

import pytest

from wharf.cli.build.attributes import agents_of, annotations_of, attests_of, attributes_of, contexts_of, secrets_of
from wharf.cli.build.command import COMMANDS
from wharf.cli.flags import parse
from wharf.errors import InvalidArgument


def _attributes(*words: str) -> dict[str, str]:
    values, _ = parse(COMMANDS[0].flags, list(words), interspersed=True)
    return attributes_of(values, {"OURS": "1"})


def test_flags_become_the_frontends_options() -> None:
    assert _attributes(
        "--target", "app", "--build-arg", "A=b=c", "--build-arg", "OURS", "--build-arg", "NOBODYS", "--label", "l=1",
        "--add-host", "db:10.0.0.1", "--pull", "--network", "none", "--shm-size", "1m", "--no-cache-filter", "one",
    ) == {
        "target": "app",
        "build-arg:A": "b=c",
        "build-arg:OURS": "1",
        "label:l": "1",
        "add-hosts": "db=10.0.0.1",
        "image-resolve-mode": "pull",
        "force-network-mode": "none",
        "shm-size": "1048576",
        "no-cache": "one",
    }  # fmt: skip


def test_limits_of_commands_become_options_as_builders_call_them() -> None:
    assert _attributes(
        "-m", "64m", "--memory-swap", "-1", "--cpu-period", "50000", "--cpu-quota", "25000", "-c", "512",
        "--cpuset-cpus", "0", "--cpuset-mems", "0", "--rm", "--force-rm",
    ) == {
        "memory": str(64 << 20),
        "memswap": "-1",
        "cpuperiod": "50000",
        "cpuquota": "25000",
        "cpushares": "512",
        "cpusetcpus": "0",
        "cpusetmems": "0",
    }  # fmt: skip


def test_no_cache_at_all_is_an_empty_list_of_stages() -> None:
    assert _attributes("--no-cache") == {"no-cache": ""}
    assert _attributes("--network", "default") == {}


def test_contexts_are_folders_or_places_elsewhere(tmp_path: Path) -> None:
    options, folders = contexts_of([f"src={tmp_path}", "base=docker-image://debian"])

    assert options == {"context:src": "local:src", "context:base": "docker-image://debian"}
    assert folders == {"src": str(tmp_path)}
    with pytest.raises(InvalidArgument, match="is no folder"):
        contexts_of(["src=/proc/nonexistent"])


def test_secrets_come_from_files_and_variables(tmp_path: Path) -> None:
    (tmp_path / "s").write_bytes(b"file\0")
    found = secrets_of([f"id=a,src={tmp_path}/s", "id=b,env=V", "id=W"], {"V": "value", "W": "own"})

    assert {name: read() for name, read in found.items()} == {"a": b"file\0", "b": b"value", "W": b"own"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("src=x", "secret missing id"),
        ("id=a,env=NOT_THERE", "the variable NOT_THERE is not set"),
        ("id=a,src=/nonexistent", "secret a has no such file"),
        ("id=a,what=x", "unexpected key 'what'"),
    ],
)
def test_secrets_that_are_not_there_are_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        secrets_of([text], {})


def test_agents_are_sockets(tmp_path: Path) -> None:
    (tmp_path / "key").touch()

    assert agents_of(["default", "other=/run/agent"], {"SSH_AUTH_SOCK": "/run/s"}) == {
        "default": "/run/s",
        "other": "/run/agent",
    }
    for text in ("default", f"k={tmp_path}/key"):
        with pytest.raises(InvalidArgument):
            agents_of([text], {})


def test_what_is_to_be_said_of_an_image() -> None:
    assert attests_of(["type=sbom,generator=g"], "mode=max,version=v1", "") == {
        "attest:sbom": "generator=g",
        "attest:provenance": "mode=max,version=v1",
    }
    assert attests_of([], "false", "true") == {"attest:provenance": "disabled=true", "attest:sbom": ""}
    with pytest.raises(InvalidArgument, match="type is required"):
        attests_of(["generator=g"], "", "")


def test_annotations_are_of_levels_and_platforms() -> None:
    assert annotations_of(["a=b", "index,manifest[linux/arm64]:c=d=e", "manifest:f=g"]) == {
        "annotation.a": "b",
        "annotation-index.c": "d=e",
        "annotation[linux/arm64].c": "d=e",
        "annotation.f": "g",
    }
    with pytest.raises(InvalidArgument, match="expected KEY=VALUE"):
        annotations_of(["a"])
