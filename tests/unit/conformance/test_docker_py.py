from __future__ import annotations

import tarfile
from io import BytesIO
from pathlib import Path

import pytest
from conformance import docker_py
from conformance.suites import Unavailable


def test_image_has_what_tests_expect_of_alpines() -> None:
    layer = BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        for name, content in (("etc/passwd", b"root:x:0:0\n"), ("bin/sh", b"program")):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, BytesIO(content))

    with tarfile.open(fileobj=BytesIO(docker_py.alpine(layer.getvalue()))) as tar:
        passwd, shell = tar.extractfile("etc/passwd"), tar.extractfile("bin/sh")
        assert passwd is not None
        assert shell is not None
        users = [line.partition(b":")[0] for line in passwd.read().splitlines()]

        assert (users, shell.read(), tar.getmember("var/opt").isdir()) == ([b"root", b"postgres"], b"program", True)


def test_a_dockerds_run_is_entered_beside_the_others() -> None:
    known = {"t.a": ["20.10", "28.5"], "t.b": ["28.5"], "t.c": ["20.10"]}

    assert docker_py.entered(known, "28.5", ["t.a", "t.c", "t.d"]) == (
        "t.a 20.10 28.5\nt.b 28.5\nt.c 20.10 28.5\nt.d 28.5\n"
    )


def test_baseline_names_what_any_dockerd_passes() -> None:
    known = docker_py.baseline(docker_py.RELEASE)

    assert {version for versions in known.values() for version in versions} == {"20.10", "28.5"}
    assert not any(name.removesuffix(".py") in test for test in known for name in docker_py.LEFT_OUT)


def test_suite_of_a_checkout_wants_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_PY", raising=False)

    with pytest.raises(Unavailable, match="DOCKER_PY"):
        docker_py.MAIN.find()


def test_checkout_is_the_one_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_PY", "/somewhere")

    assert docker_py.MAIN.find() == Path("/somewhere")
