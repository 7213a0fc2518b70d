"""docker's command line in scenarios: what users see on Wharf must be what they see on a dockerd.

Each step is one command; its output, its errors and its exit code are compared once ids, times and places are put in
one form. What a dockerd 28.5 said is in ``docker_cli_baseline.json``; ``python -m conformance.docker_cli`` writes it
anew, from the dockerd that ``PATH`` has. ``KNOWN`` are the steps where Wharf says something else, with the reasons.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import tempfile
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import sides
from bench.sides import Side

from conformance.docker_py import alpine
from conformance.suites import Outcome, Suite
from wharf.images import busybox

_TOP = Path(__file__).parent.parent
_STEP_S = 30
BASELINE = Path(__file__).with_name("docker_cli_baseline.json")


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a scenario."""

    words: tuple[str, ...]
    stdin: bytes | None = None
    keys: tuple[tuple[str, bytes], ...] | None = None  # on a terminal: type each after its text was shown
    loose: bool = False  # compare the exit code alone: the output is the machine's


def run(*words: str, stdin: bytes | None = None, loose: bool = False) -> Step:
    """Return a step without a terminal."""
    return Step(words, stdin, loose=loose)


def typed(*words: str, keys: Sequence[tuple[str, bytes]]) -> Step:
    """Return a step on a terminal."""
    return Step(words, keys=tuple(keys))


_SLEEPER = ("run", "-d", "--name", "one", "alpine", "sleep", "100")

_WRITES = "for i in 1 2 3; do echo line $i; done; echo bad >&2"

SCENARIOS: Mapping[str, Sequence[Step]] = {
    "run": [
        run("run", "--rm", "alpine", "echo", "hi"),
        run("run", "--rm", "alpine", "sh", "-c", "echo out; echo err >&2; exit 7"),
        run("run", "--rm", "-i", "alpine", "cat", stdin=b"in\n"),
        run("run", "--rm", "alpine", "no-such-command"),
        run("run", "--rm", "alpine", "/etc"),
        run("run", "--rm", "-w", "/no/such", "alpine", "pwd"),
        run("run", "--rm", "-w", "relative", "alpine", "pwd"),
        run("run", "--rm", "-u", "nobody-here", "alpine", "id"),
        run("run", "--rm", "-e", "=x", "alpine", "env"),
        run("run", "--rm", "--name", "bad/name", "alpine", "true"),
        run("run", "--rm", "--memory", "1m", "alpine", "true"),
        run("run", "--rm", "--cpus", "0.001", "alpine", "true"),
        run("run", "--rm", "--cpu-shares", "-1", "alpine", "true"),
        run("run", "--rm", "--network", "no-such", "alpine", "true"),
        run("run", "--rm", "--network", "container:no-such", "alpine", "true"),
        run("run", "--rm", "--pid", "container:no-such", "alpine", "true"),
        run("run", "--rm", "--pid", "nonsense", "alpine", "true"),
        run("run", "--rm", "--restart", "always", "alpine", "true"),
        run("run", "-d", "--restart", "sometimes", "alpine", "true"),
        run("run", "--rm", "--cap-add", "nonsense", "alpine", "true"),
        run("run", "--rm", "--security-opt", "nonsense", "alpine", "true"),
        run("run", "--rm", "--sysctl", "kernel.nonsense=1", "alpine", "true"),
        run("run", "--rm", "--runtime", "nonsense", "alpine", "true"),
        run("run", "--rm", "--log-driver", "nonsense", "alpine", "true"),
        run("run", "--rm", "--log-opt", "nonsense=1", "alpine", "true"),
        run("run", "--rm", "--device", "/dev/nonsense", "alpine", "true"),
        run("run", "--rm", "--mount", "type=bind,source=/no/such,target=/x", "alpine", "true"),
        run("run", "--rm", "--mount", "type=volume,target=x", "alpine", "true"),
        run("run", "--rm", "-v", "/x:relative", "alpine", "true"),
        run("run", "--rm", "-v", "aa:/x", "-v", "bb:/x", "alpine", "true"),
        run("run", "--rm", "--volumes-from", "no-such", "alpine", "true"),
        run("run", "--rm", "--link", "no-such", "alpine", "true"),
        run("run", "--rm", "--stop-signal", "NONSENSE", "alpine", "true"),
        run("run", "--rm", "--add-host", "x:nonsense", "alpine", "true"),
        run("run", "--rm", "--dns", "nonsense", "alpine", "true"),
        run("run", "--rm", "--ulimit", "nonsense=1", "alpine", "true"),
        run("run", "--rm", "--shm-size", "0", "alpine", "true"),
        run("run", "--rm", "-p", "80:99999", "alpine", "true"),
        run("run", "--rm", "--ip", "1.2.3.4", "alpine", "true"),
        run("run", "--rm", "--health-interval", "1us", "alpine", "true"),
        run("run", "--rm", "-h", "x" * 70, "alpine", "true"),
    ],
    "on a terminal": [
        typed("run", "--rm", "-it", "alpine", "sh", keys=[("#", b"tty\n"), ("/dev/", b"exit 5\n")]),
        typed("run", "-it", "--name", "one", "alpine", "sh", keys=[("#", b"\x10\x11")]),
        run("inspect", "-f", "{{.State.Status}}", "one"),
        typed("attach", "one", keys=[("", b"echo a''b\n"), ("ab", b"\x10\x11")]),
        typed("exec", "-it", "one", "sh", "-c", "echo in; exit 3", keys=[]),
        typed("attach", "--detach-keys", "ctrl-x", "one", keys=[("", b"echo c''d\n"), ("cd", b"\x18")]),
        run("attach", "--detach-keys", "nonsense-key", "one"),
        run("exec", "-t", "one", "true"),
        run("rm", "-f", "one"),
    ],
    "life": [
        run(*_SLEEPER, loose=True),
        run("run", "-d", "--name", "one", "alpine", "true"),
        run("create", "--name", "two", "alpine", "true", loose=True),
        run("rename", "two", "one"),
        run("rename", "two", "two"),
        run("rename", "two", "bad name"),
        run("rename", "no-such", "three"),
        run("start", "no-such"),
        run("start", "one", "no-such"),
        run("stop", "no-such"),
        run("kill", "no-such"),
        run("kill", "two"),
        run("kill", "-s", "NONSENSE", "one"),
        run("pause", "two"),
        run("pause", "one"),
        run("pause", "one"),
        run("exec", "one", "true"),
        run("unpause", "one"),
        run("unpause", "one"),
        run("restart", "no-such"),
        run("wait", "no-such"),
        run("rm", "one"),
        run("rm", "no-such"),
        run("logs", "no-such"),
        run("top", "two"),
        run("top", "no-such"),
        run("port", "no-such"),
        run("port", "one", "80"),
        run("diff", "no-such"),
        run("export", "no-such"),
        run("commit", "no-such"),
        run("commit", "one", "BAD:name"),
        run("update", "--memory", "1m", "one"),
        run("update", "--restart", "nonsense", "one"),
        run("update", "--cpus", "0.5", "one"),
        run("inspect", "no-such"),
        run("inspect", "--type", "container", "no-such"),
        run("stats", "--no-stream", "no-such"),
        run("ps", "--filter", "nonsense=1"),
        run("ps", "--filter", "status=nonsense"),
        run("ps", "-a", "--format", "{{.Names}} {{.Image}} {{.Command}} {{.State}}"),
        run("stop", "-t", "0", "one"),
        run("stop", "one"),
        run("rm", "one", "two"),
    ],
    "exec": [
        run(*_SLEEPER, loose=True),
        run("exec", "one", "sh", "-c", "echo out; echo err >&2; exit 9"),
        run("exec", "-i", "one", "cat", stdin=b"in\n"),
        run("exec", "one", "no-such-command"),
        run("exec", "one", "/etc"),
        run("exec", "-w", "/no/such", "one", "pwd"),
        run("exec", "-w", "/tmp", "-e", "A=b", "-u", "1:2", "one", "sh", "-c", "pwd; echo $A; id -u; id -g"),
        run("exec", "-u", "nobody-here", "one", "id"),
        run("exec", "-d", "one", "sleep", "1"),
        run("exec", "no-such", "true"),
        run("stop", "-t", "0", "one"),
        run("exec", "one", "true"),
        run("rm", "one"),
    ],
    "logs": [
        run(
            "run",
            "--name",
            "one",
            "alpine",
            "sh",
            "-c",
            "for i in 1 2 3; do echo line $i; done; echo bad >&2",
            loose=True,
        ),
        run("logs", "one"),
        run("logs", "-n", "2", "one"),
        run("logs", "-f", "one"),
        run("logs", "--since", "nonsense", "one"),
        run("logs", "--until", "1", "one"),
        run("logs", "-t", "-n", "1", "one"),
        run("logs", "-n", "nonsense", "one"),
        run("rm", "one"),
        run("run", "--log-driver", "none", "--name", "one", "alpine", "true"),
        run("logs", "one"),
        run("rm", "one"),
    ],
    "cp": [
        run("create", "--name", "one", "alpine", "true", loose=True),
        run("cp", "one:/no/such", "-"),
        run("cp", "no-such:/etc", "/tmp/x"),
        run("cp", "/no/such", "one:/tmp"),
        run("cp", "/etc/hostname", "one:/no/such/"),
        run("cp", "/etc/hostname", "one:/etc/passwd/x"),
        run("cp", "/etc/hostname", "one:/tmp/"),
        run("cp", "one:/tmp/hostname", "-", loose=True),
        run("diff", "one"),
        run("rm", "one"),
    ],
    "volumes": [
        run("volume", "create", "v1"),
        run("volume", "create", "v1"),
        run("volume", "create", "x"),
        run("volume", "create", "bad/name"),
        run("volume", "create", "-d", "nonsense", "v2"),
        run("volume", "create", "-o", "nonsense=1", "v2"),
        run("volume", "create", "-o", "type=tmpfs", "v2"),
        run("volume", "create", "-o", "size=1m", "v2"),
        run("volume", "inspect", "no-such"),
        run("volume", "rm", "no-such"),
        run("volume", "rm", "-f", "no-such"),
        run("run", "--name", "one", "-v", "v1:/x", "alpine", "true"),
        run("volume", "rm", "v1"),
        run("volume", "ls", "-q", "--filter", "name=v1"),
        run("volume", "ls", "--filter", "nonsense=1"),
        run("volume", "ls", "--filter", "dangling=nonsense"),
        run("rm", "one"),
        run("volume", "rm", "v1"),
    ],
    "networks": [
        run("network", "create", "n1", loose=True),
        run("network", "create", "n1"),
        run("network", "create", "bridge"),
        run("network", "create", "-d", "nonsense", "n2"),
        run("network", "create", "--subnet", "nonsense", "n2"),
        run("network", "create", "--subnet", "10.77.0.0/24", "--gateway", "10.78.0.1", "n2"),
        run("network", "create", "--subnet", "10.77.0.0/24", "n3", loose=True),
        run("network", "create", "--subnet", "10.77.0.0/16", "n4"),
        run("network", "inspect", "no-such"),
        run("network", "rm", "no-such"),
        run("network", "rm", "bridge"),
        run("network", "connect", "no-such", "one"),
        run("network", "connect", "n1", "no-such"),
        run(*_SLEEPER, loose=True),
        run("network", "connect", "n1", "one"),
        run("network", "connect", "n1", "one"),
        run("network", "connect", "--ip", "10.9.9.9", "n3", "one"),
        run("network", "rm", "n1"),
        run("network", "disconnect", "n1", "one"),
        run("network", "disconnect", "n1", "one"),
        run("network", "connect", "host", "one"),
        run("network", "ls", "--filter", "nonsense=1"),
        run("network", "ls", "--format", "{{.Name}} {{.Driver}} {{.Scope}}"),
        run("rm", "-f", "one"),
        run("network", "rm", "n1", "n3"),
    ],
    "images": [
        run("images", "-q", "--no-trunc", "--filter", "reference=alpine:3.10"),
        run("images", "--filter", "nonsense=1"),
        run("image", "inspect", "no-such"),
        run("history", "no-such"),
        run("tag", "no-such", "x"),
        run("tag", "alpine", "BAD"),
        run("tag", "alpine", "other:1"),
        run("rmi", "no-such"),
        run("rmi", "other:1", loose=True),
        run("run", "--name", "one", "alpine", "true"),
        run("rmi", "alpine:3.10", "alpine"),
        run("rm", "one"),
        run("save", "no-such"),
        run("load", stdin=b"no archive"),
        run("push", "127.0.0.1:1/no-such"),
        run("system", "prune", "--filter", "nonsense=1", "-f"),
    ],
    "system": [
        run("version", "--format", "{{.Server.Os}}/{{.Server.Arch}}"),
        run("info", "--format", "{{.OSType}} {{.Driver}} {{.Containers}}"),
        run("events", "--since", "1", "--until", "1", "--filter", "nonsense=1"),
        run("events", "--since", "nonsense", "--until", "1"),
        run("swarm", "leave"),
        run("node", "ls"),
        run("service", "ls"),
        run("secret", "ls"),
        run("plugin", "ls"),
        run("plugin", "inspect", "no-such"),
        run("login", "-u", "me", "-p", "x", "127.0.0.1:1", loose=True),
    ],
}

KNOWN: Mapping[str, str] = {
    "run --rm alpine /etc": "an older runc finds a directory not permitted, a newer one says what it is, as we do",
    "exec one /etc": "likewise",
    "run --rm --cpus 0.001 alpine true": "the kernel's refusal, in each runtime's own words",
    f"run --rm -h {'x' * 70} alpine true": "likewise",
    "exec -w /no/such one pwd": "125 to 127 as runc's, by what it is that does not exist",
    "cp /etc/hostname one:/no/such/": "the client's own complaint, if it still writes when the answer comes",
    "network create -d nonsense n2": "we add which drivers there are",
    "events --since 1 --until 1 --filter nonsense=1": "a filter that nobody knows is refused here, not ignored",
    "load": "we say what is wrong with the archive",
    "save no-such": "we say which tag was looked for",
}
"""Steps that differ, and why they may."""

_FORMS = (
    (re.compile(r"\b[0-9a-f]{64}\b"), "<id>"),
    (re.compile(r"\b[0-9a-f]{12}\b"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z?"), "<time>"),
    (re.compile(r"/tmp/\S*?/(?:data|root)/"), "<root>/"),
    (re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]"), ""),
    (re.compile(r": unknown(?=\W|$)"), ""),
    (re.compile(r"\bInvalid (?=containerPort)"), "invalid "),  # clients of 28.2 and 28.5 spell it differently
    (re.compile(r"failed to create shim task: |runc create failed: "), ""),  # their parts, not ours
    (re.compile(r"\r"), ""),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a step did, in one form."""

    code: int
    out: str
    err: str


def normal(text: str) -> str:
    """Return a text without what differs from run to run."""
    for pattern, form in _FORMS:
        text = pattern.sub(form, text)
    return text.strip()


def play(side: Side, steps: Sequence[Step]) -> list[Seen]:
    """Take the steps, one after the other."""
    return [_on_terminal(side, step) if step.keys is not None else _plainly(side, step) for step in steps]


def _plainly(side: Side, step: Step) -> Seen:
    try:
        done = subprocess.run(
            ["docker", *step.words],
            input=step.stdin or b"",
            capture_output=True,
            env=side.environment,
            timeout=_STEP_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Seen(-1, "", "it did not end")
    if step.loose:
        return Seen(done.returncode, "", "")
    return Seen(
        done.returncode, normal(done.stdout.decode(errors="replace")), normal(done.stderr.decode(errors="replace"))
    )


def _on_terminal(side: Side, step: Step) -> Seen:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    with subprocess.Popen(
        ["docker", *step.words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=side.environment,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        shown, waiting, deadline = b"", list(step.keys or ()), time.monotonic() + _STEP_S
        while time.monotonic() < deadline:
            if waiting and waiting[0][0].encode() in shown:
                time.sleep(0.3)  # who is typed at has to be there: a person would not be faster
                os.write(ours, waiting.pop(0)[1])
                shown = b""
            if not select.select([ours], [], [], 0.2)[0]:
                if process.poll() is not None:
                    break
                continue
            try:
                shown += os.read(ours, 65536)
            except OSError:
                break
        else:
            process.kill()
        code = process.wait()
    os.close(ours)
    return Seen(code, "", "")


def compare(mine: Mapping[str, Sequence[Seen]], theirs: Mapping[str, Sequence[Seen]]) -> list[str]:
    """Return the steps that differ, each with what both said."""
    found = []
    for name, steps in SCENARIOS.items():
        for step, own, other in zip(steps, mine[name], theirs[name], strict=True):
            if own != other and " ".join(step.words) not in KNOWN:
                found.append(f"{name}: docker {' '.join(step.words)}\n    wharf:  {own}\n    docker: {other}")
    return found


def record(engine: sides.Engine, scratch: Path) -> dict[str, list[Seen]]:
    """Play every scenario on an engine."""
    layer = alpine(busybox.layer())
    with sides.running(engine, scratch, "docker", dict.fromkeys(("alpine:latest", "alpine:3.10"), layer)) as side:
        return {name: play(side, steps) for name, steps in SCENARIOS.items()}


def judge(scratch: Path) -> Outcome:
    """Play every scenario; a step passes when users see what they see on a dockerd."""
    document = json.loads(BASELINE.read_text())
    theirs = {name: [Seen(*seen) for seen in document[name]] for name in SCENARIOS}
    different = compare(record(sides.wharf(_TOP / ".venv/bin", scratch), scratch), theirs)
    return Outcome(_STEPS - len(different) - len(KNOWN), len(different), len(KNOWN), tuple(different))


def write_baseline(scratch: Path) -> None:
    """Play every scenario on a dockerd, and write down what it said."""
    theirs = record(sides.dockerd(scratch), scratch)
    document = {name: [(seen.code, seen.out, seen.err) for seen in steps] for name, steps in theirs.items()}
    BASELINE.write_text(json.dumps(document, indent=1) + "\n")


_STEPS = sum(len(each) for each in SCENARIOS.values())
SUITE = Suite("docker-cli", _STEPS - len(KNOWN), judge)

if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="wharf-conformance.") as folder:
        write_baseline(Path(folder))
