from __future__ import annotations

from pathlib import Path

import pytest

from wharf.errors import InvalidArgument
from wharf.runtime.commands import checkpoint


def criu(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    (folder / "criu").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "criu").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")


def test_the_reason_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert checkpoint.reason() == "criu is not installed"
    tun = "echo 'Error (criu/tun.c:85): tun: Unable to create tun: No such file' >&2"
    criu(tmp_path, monkeypatch, f"{tun}; echo 'Error: no timens' >&2; exit 1")
    assert checkpoint.reason() == "criu check fails on this kernel: Error: no timens"


def test_it_is_the_program_that_was_named_that_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    criu(tmp_path, monkeypatch, "exit 1")
    (tmp_path / "other").write_text("#!/bin/sh\n")
    (tmp_path / "other").chmod(0o755)

    assert checkpoint.reason(str(tmp_path / "other")) == ""
    assert checkpoint.reason("nowhere") == "nowhere is not installed"


def test_options_are_runcs() -> None:
    given = {
        "--image-path": "/images",
        "--parent-path": "../before",
        "--pre-dump": True,
        "--tcp-established": True,
        "--manage-cgroups-mode": "ignore",
        "--empty-ns": ["network"],
        "--page-server": "[::1]:1234",
    }

    wanted = checkpoint.wanted_of(given)

    assert (wanted.images, wanted.parent, wanted.pre_dump, wanted.cgroups) == ("/images", "../before", True, "ignore")
    assert wanted.options == {"tcp_established": True}
    assert wanted.empty_namespaces == 0x40000000
    assert wanted.page_server == ("::1", 1234)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--manage-cgroups-mode", "gently", "invalid manage-cgroups-mode value: gently"),
        ("--empty-ns", ["net"], "namespace net is not supported"),
        ("--page-server", "localhost", "wanted address:port"),
        ("--parent-path", "/elsewhere", "relative"),
    ],
)
def test_what_is_meaningless_is_refused(option: str, value: object, said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        checkpoint.wanted_of({option: value})


def test_an_option_that_the_kernel_cannot_serve_is_named_with_what_is_lacking() -> None:
    def has(feature: str) -> bool:
        return feature == "mem_dirty_track"

    assert checkpoint.lacking({"--pre-dump": True, "--parent-path": "../ahead"}, has) == ""
    assert checkpoint.lacking({"--lazy-pages": True}, has).startswith("--lazy-pages: memory cannot be fetched later")
    assert "CONFIG_MEM_SOFT_DIRTY" in checkpoint.lacking({"--pre-dump": True}, lambda _: False)
    assert checkpoint.lacking({"--leave-running": True}, lambda _: False) == ""
