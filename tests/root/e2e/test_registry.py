"""Pull and push by docker's command line and by ours, with Debian's docker-registry as the other side."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tests.root.e2e.conftest import Cli
from tests.root.registry import PROGRAM, registry

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(shutil.which(PROGRAM) is None, reason=f"{PROGRAM} is not installed"),
]


def test_what_was_pushed_is_pulled_and_run(run: Cli, tmp_path: Path) -> None:
    with registry(tmp_path / "registry") as host:
        name = f"{host}/bb:1"
        assert run("tag", "busybox", name).code == 0
        pushed = run("push", name)
        assert (pushed.code, "digest: sha256:" in pushed.out) == (0, True), pushed
        assert run("rmi", name).code == 0
        again = run("pull", name)
        assert (again.code, f"Status: Downloaded newer image for {name}" in again.out) == (0, True), again
        assert run("rmi", name).code == 0

        done = run("run", "--rm", "--pull", "always", name, "echo", "hi")
        assert (done.code, done.out) == (0, "hi\n"), done
        missing = run("pull", f"{host}/bb:2")
        assert (missing.code, "manifest unknown" in missing.err) == (1, True), missing
        run("rmi", name)


def test_a_build_brings_what_it_starts_from(run: Cli, tmp_path: Path) -> None:
    as_me = replace(
        run, environment={**run.environment, "DOCKER_CONFIG": str(tmp_path / "config"), "DOCKER_BUILDKIT": "0"}
    )
    (tmp_path / "htpasswd").write_text(HTPASSWD)
    guard = {"htpasswd": {"realm": "ours", "path": str(tmp_path / "htpasswd")}}
    with registry(tmp_path / "registry", auth=guard) as host:
        name = f"{host}/base:1"
        assert as_me("login", "-u", "me", "--password-stdin", host, stdin=b"secret\n").code == 0
        as_me.ok("tag", "busybox", name)
        as_me.ok("push", name)
        as_me.ok("rmi", name)
        (tmp_path / "context").mkdir()
        (tmp_path / "context/Dockerfile").write_text(f"FROM {name}\nRUN echo built > /f\n")
        first = as_me("build", "-t", "made", str(tmp_path / "context"))
        second = as_me("build", "-t", "made", str(tmp_path / "context"))
        third = as_me("build", "--pull", "-t", "made", str(tmp_path / "context"))
        as_me.ok("rmi", "-f", "made", name)
        stranger = replace(as_me, environment={**as_me.environment, "DOCKER_CONFIG": str(tmp_path / "nobody")})
        refused = stranger("build", str(tmp_path / "context"))

    news = [f"Status: {what} for {name}" for what in ("Downloaded newer image", "Image is up to date")]
    assert [done.code for done in (first, second, third, refused)] == [0, 0, 0, 1], (first, refused)
    assert [[line in done.out for line in news] for done in (first, second, third)] == [
        [True, False],
        [False, False],
        [False, True],
    ], first
    assert f"pull access denied for {name[:-2]}" in refused.err, refused


HTPASSWD = "me:$2b$04$4WUHZpzOx9ivgT.QbWQ4fu57yBrpOfdqpMNd8xlmpKSlfQGmW.X2C\n"  # secret


def test_who_has_logged_in_may_push_and_pull(run: Cli, tmp_path: Path) -> None:
    as_me = replace(run, environment={**run.environment, "DOCKER_CONFIG": str(tmp_path / "config")})
    (tmp_path / "htpasswd").write_text(HTPASSWD)
    guard = {"htpasswd": {"realm": "ours", "path": str(tmp_path / "htpasswd")}}
    with registry(tmp_path / "registry", auth=guard) as host:
        name = f"{host}/bb:1"
        run.ok("tag", "busybox", name)
        assert run("push", name).code == 1
        wrong = as_me("login", "-u", "me", "--password-stdin", host, stdin=b"wrong")
        right = as_me("login", "-u", "me", "--password-stdin", host, stdin=b"secret\n")
        pushed = as_me("push", name)
        run.ok("rmi", name)
        stranger, pulled = run("pull", name), as_me("pull", name)
        out = as_me("logout", host)
        after = as_me("pull", name)
        run("rmi", name)

    told = f"login attempt to http://{host}/v2/ failed with status: 401 Unauthorized"
    assert (wrong.code, told in wrong.err) == (1, True), wrong
    assert (right.code, right.out) == (0, "Login Succeeded\n"), right
    assert (pushed.code, pulled.code, out.code) == (0, 0, 0), (pushed, pulled, out)
    assert (stranger.code, after.code) == (1, 1)
