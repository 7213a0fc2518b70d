"""A container's life and what can be asked about it, from run -d to rm."""

from __future__ import annotations

import json
import subprocess
import time

import pytest
from tests.root.wharfd import Cli, Done, Wharfd, until

pytestmark = pytest.mark.root


@pytest.fixture
def web(run: Cli) -> str:
    """A container that says a line and goes on until it is told to end."""
    web = run.ok(
        *("run", "-d", "--name", "web", "--label", "kind=test", "busybox"),
        *("sh", "-c", "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"),
    )
    _up(run, 1)
    return web


def _up(run: Cli, times: int) -> None:
    """Wait until ``web`` has said so often that it is up: from then on it listens to signals."""
    until(lambda: run.ok("logs", "web").splitlines().count("up") == times)


def _line(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    return process.stdout.readline()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate(timeout=60)


def test_ps_shows_what_runs_and_with_a_what_ended(run: Cli, web: str) -> None:
    run.ok("run", "--name", "done", "busybox", "true")

    shown = run.ok("ps", "--format", "{{.ID}} {{.Names}} {{.Image}} {{.State}}")
    everything = run.ok("ps", "-a", "--format", "{{.Names}} {{.State}}")

    assert shown == f"{web[:12]} web busybox running"
    assert sorted(everything.splitlines()) == ["done exited", "web running"]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        (["label=kind=test"], "web"),
        (["label=kind"], "web"),
        (["label=kind=other"], ""),
        (["name=we"], "web"),
        (["status=exited"], "done"),
        (["exited=3"], "done"),
        (["ancestor=busybox", "label=kind"], "web"),
        (["network=none"], "done"),
    ],
)
def test_ps_filters(run: Cli, web: str, filters: list[str], names: str) -> None:
    assert run("run", "--name", "done", "--network", "none", "busybox", "sh", "-c", "exit 3").code == 3

    assert run.ok("ps", "-a", "--format", "{{.Names}}", *(f"--filter={each}" for each in filters)) == names


def test_unknown_filter_is_refused_by_name(run: Cli) -> None:
    done = run("ps", "--filter", "colour=red")

    assert (done.code, done.out, "invalid filter 'colour'" in done.err) == (1, "", True), done


def test_log_is_kept_and_shown_apart_as_it_was_written(run: Cli) -> None:
    run("run", "--name", "talk", "busybox", "sh", "-c", "echo a; echo b >&2; printf c")

    assert run("logs", "talk") == Done(0, "a\nc", "b\n")
    assert run("logs", "nope") == Done(1, "", "Error response from daemon: No such container: nope\n")


def test_the_last_lines_of_a_log_are_shown(run: Cli) -> None:
    run("run", "--name", "talk", "busybox", "sh", "-c", "echo a; echo b; printf c")

    assert run("logs", "--tail", "2", "talk") == Done(0, "b\nc", "")
    assert run("logs", "--tail", "0", "talk") == Done(0, "", "")


def test_log_is_followed_until_the_container_ends(run: Cli, web: str) -> None:
    process = run.start("logs", "-f", "web")
    assert _line(process) == b"up\n"

    run.ok("stop", "web")

    assert (process.communicate(timeout=60), process.returncode) == ((b"bye\n", b""), 0)


def test_exec_has_its_own_streams_and_exit_code(run: Cli, web: str) -> None:
    done = run("exec", "-i", "web", "sh", "-c", "cat; echo err >&2; exit 5", stdin=b"in\n")

    assert done == Done(5, "in\n", "err\n")


def test_exec_sees_the_containers_world_and_its_own_settings(run: Cli, web: str) -> None:
    script = 'echo "$(hostname) $A $PWD $(id -un) $(cat /proc/1/comm)"'

    shown = run.ok("exec", "-e", "A=b", "-w", "/tmp", "-u", "nobody", "web", "sh", "-c", script)

    assert shown == f"{web[:12]} b /tmp nobody sh"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("web", "nonsense"), 127, 'exec: "nonsense": executable file not found in $PATH'),
        (("web", "/etc"), 126, 'exec: "/etc": is a directory'),
        (("-u", "nope", "web", "true"), 1, "unable to find user nope"),
        (("-w", "/nope", "web", "true"), (126, 127, 128), "/nope"),
        (("nope", "true"), 1, "No such container: nope"),
    ],
)
def test_exec_that_cannot_run_says_why(run: Cli, web: str, words: tuple[str, ...], code: int, says: str) -> None:
    done = run("exec", *words)

    codes = code if isinstance(code, tuple) else (code,)
    assert (done.code in codes, says in done.out + done.err) == (True, True), done


def test_exec_in_a_stopped_container_is_refused(run: Cli) -> None:
    identity = run.ok("run", "-d", "--name", "done", "busybox", "true")
    run.ok("wait", "done")

    done = run("exec", "done", "true")

    assert (done.code, f"container {identity} is not running" in done.err.lower()) == (1, True), done


def test_top_and_stats_show_its_processes(run: Cli, web: str) -> None:
    assert "trap 'echo bye" in run.ok("top", "web")
    name, memory, pids = run.ok("stats", "--no-stream", "--format", "{{.Name}} {{.MemPerc}} {{.PIDs}}", "web").split()

    assert (name, memory.endswith("%"), int(pids) >= 1) == ("web", True, True)


def test_inspect_is_json_and_templates(run: Cli, web: str) -> None:
    template = '{{.Id}} {{.State.Status}} {{.Config.Image}} {{index .Config.Labels "kind"}} {{json .Args}}'

    [document] = json.loads(run.ok("inspect", "web"))
    shown = run.ok("inspect", "--format", template, "web")

    assert shown == f"{web} running busybox test {json.dumps(document['Args'], separators=(',', ':'))}"
    assert document["Name"] == "/web"


def test_inspect_of_nothing_prints_an_empty_list_and_why(run: Cli) -> None:
    done = run("inspect", "nope")

    assert (done.code, done.out.strip(), "nope" in done.err and "o such object" in done.err) == (1, "[]", True), done


def test_stop_lets_it_end_by_itself_and_start_begins_anew(run: Cli, web: str) -> None:
    assert run.ok("stop", "web") == "web"
    assert run.ok("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "web") == "exited 0"
    assert run.ok("start", "web") == "web"
    _up(run, 2)
    assert run.ok("restart", "-t", "5", "web") == "web"

    assert run.ok("inspect", "-f", "{{.State.Running}} {{.RestartCount}}", "web") == "true 0"
    assert run.ok("logs", "web").splitlines()[:4] == ["up", "bye", "up", "bye"]


def test_stop_kills_what_does_not_listen(run: Cli) -> None:
    run.ok("run", "-d", "--name", "deaf", "busybox", "sleep", "60")

    run.ok("stop", "-t", "0", "deaf")

    assert run.ok("inspect", "-f", "{{.State.ExitCode}}", "deaf") == "137"


def test_start_attached_gives_its_output_and_exit_code(run: Cli) -> None:
    run.ok("create", "--name", "later", "busybox", "sh", "-c", "echo now; exit 6")

    assert run("start", "-a", "later") == Done(6, "now\n", "")


def test_running_container_is_removed_by_force_alone(run: Cli, web: str) -> None:
    refused = run("rm", "web")

    assert (refused.code, "is running: stop the container before removing or force remove" in refused.err) == (
        1,
        True,
    )
    assert run.ok("rm", "-f", "web") == "web"
    assert run("rm", "web").code == 1


def test_pause_freezes_it(run: Cli, web: str) -> None:
    assert run.ok("pause", "web") == "web"
    assert run.ok("ps", "--format", "{{.State}}") == "paused"
    assert "is paused" in run("exec", "web", "true").err
    assert run.ok("unpause", "web") == "web"

    assert run.ok("exec", "web", "echo", "on") == "on"


def test_rename_keeps_the_container(run: Cli, web: str) -> None:
    run.ok("run", "-d", "--name", "other", "busybox", "sleep", "60")

    run.ok("rename", "web", "site")
    taken = run("rename", "site", "other")

    assert run.ok("inspect", "-f", "{{.Id}}", "site") == web
    assert (taken.code, "is already in use by container" in taken.err) == (1, True)
    assert run("inspect", "web").code == 1


def test_update_changes_limits_while_it_runs(run: Cli, web: str) -> None:
    run.ok("update", "--memory", "64m", "--memory-swap", "64m", "--cpus", "0.5", "--pids-limit", "50", "web")

    shown = run.ok(
        "inspect", "-f", "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}}", "web"
    )
    limit = run.ok("stats", "--no-stream", "--format", "{{.MemUsage}}", "web").split(" / ")[1]

    assert (shown, limit) == (f"{64 << 20} 500000000 50", "64MiB")


def test_wait_gives_each_exit_code(run: Cli) -> None:
    for code in (0, 3):
        run.ok("run", "-d", "--name", f"end{code}", "busybox", "sh", "-c", f"exit {code}")

    assert run.ok("wait", "end0", "end3") == "0\n3"


def test_events_tell_a_containers_life(run: Cli, daemon: Wharfd) -> None:
    run.ok("run", "--rm", "--name", f"seen-by-{run.name}", "busybox", "true")
    until(lambda: daemon.get("/containers/json?all=1") == [])
    chosen = ("--filter", f"container=seen-by-{run.name}", "--filter", "event=start", "--filter", "event=die")

    span = ("--since", "1m", "--until", f"{time.time():.9f}")

    told = run.ok("events", *span, *chosen, "--format", "{{.Type}} {{.Action}}")
    codes = run.ok("events", *span, *chosen, "--format", "{{.Actor.Attributes.exitCode}}")

    assert (told, codes) == ("container start\ncontainer die", "<no value>\n0")


def test_followed_events_come_as_they_happen(run: Cli, web: str) -> None:
    process = run.start("events", "--since", "1m", "--filter", f"container={web}", "--format", "{{.Action}}")
    try:
        assert (_line(process), _line(process)) == (b"create\n", b"start\n")
        run.ok("pause", "web")
        run.ok("unpause", "web")
        assert (_line(process), _line(process)) == (b"pause\n", b"unpause\n")
    finally:
        _end(process)
