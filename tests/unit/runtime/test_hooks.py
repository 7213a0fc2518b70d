from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wharf.runtime import hooks
from wharf.runtime.errors import StartFailed

STATE: Any = {"ociVersion": "1.2.1", "id": "c1", "bundle": "/", "annotations": {"a": "b"}}


def sh(script: str, **more: Any) -> Any:
    return {"path": "/bin/sh", "args": ["sh", "-c", script], "env": ["PATH=/bin:/usr/bin"], **more}


@pytest.mark.parametrize(
    ("hook", "message"),
    [
        ({"path": "bin/x"}, "path is not absolute"),
        ({"path": "/x", "timeout": 0}, "greater than zero"),
        ({"path": "/x", "args": ["a\0b"]}, "without a NUL"),
        ({"path": "/x", "env": [1]}, "without a NUL"),
    ],
)
def test_a_hook_that_cannot_be_meant_is_refused(hook: Any, message: str) -> None:
    with pytest.raises(StartFailed, match=message):
        hooks.plan({"prestart": [hook]}, STATE)


def test_without_a_state_to_tell_them_there_are_no_hooks() -> None:
    with pytest.raises(StartFailed, match="not supported here"):
        hooks.plan({"prestart": [sh("true")]}, None)
    assert not hooks.plan({"prestart": []}, None).at("prestart")


def test_a_hook_reads_the_state_and_has_its_own_environment(tmp_path: Path) -> None:
    plan = hooks.plan({"poststart": [sh(f"cat >{tmp_path}/in; env >{tmp_path}/env")]}, STATE)

    plan.run("poststart", 7)

    assert json.loads((tmp_path / "in").read_text()) == {**STATE, "status": "running", "pid": 7}
    assert "HOME=" not in (tmp_path / "env").read_text()


def test_hooks_run_in_their_order_and_stop_at_the_first_that_fails(tmp_path: Path) -> None:
    scripts = [f"echo one >>{tmp_path}/out", "echo oh >&2; exit 3", f"echo two >>{tmp_path}/out"]
    plan = hooks.plan({"prestart": [sh(script) for script in scripts]}, STATE)

    with pytest.raises(StartFailed, match="error running prestart hook #1 /bin/sh: exit status 3; it wrote: oh"):
        plan.run("prestart", 1)
    assert (tmp_path / "out").read_text() == "one\n"


def test_hooks_after_the_end_all_run_and_only_warn(tmp_path: Path) -> None:
    warnings: list[str] = []
    plan = hooks.plan({"poststop": [sh("exit 1"), sh(f"cat >{tmp_path}/in")]}, STATE)

    plan.run_all("poststop", 0, warnings.append)

    assert json.loads((tmp_path / "in").read_text()) == {**STATE, "status": "stopped"}
    assert warnings == ["error running poststop hook #0 /bin/sh: exit status 1; it wrote: "]


def test_a_hook_that_takes_too_long_is_killed_with_its_children() -> None:
    plan = hooks.plan({"prestart": [sh("sleep 100 & sleep 100", timeout=1)]}, STATE)

    with pytest.raises(StartFailed, match="took longer than 1 s"):
        plan.run("prestart", 1)


def test_a_hook_that_does_not_exist_is_an_error() -> None:
    plan = hooks.plan({"prestart": [{"path": "/no/such"}]}, STATE)

    with pytest.raises(StartFailed, match="/no/such: exit status 127; it wrote: /no/such: No such file"):
        plan.run("prestart", 1)
