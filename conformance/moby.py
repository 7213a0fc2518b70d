"""moby's own integration tests, as dockerd is judged by them: against a wharfd, or a dockerd for the baseline.

Many of them start daemons of their own, with the ``dockerd`` of their PATH: for Wharf that is a wharfd without the
few flags that name the parts dockerd is made of. ``python -m conformance.moby`` runs them against the dockerd that
PATH has, of the version in :mod:`conformance.moby_source`, and writes the baseline anew. What Wharf does not pass for
a reason is in ``moby_set_aside.txt``, each test with that reason.

``MOBY_PACKAGES`` and ``MOBY_RUN`` (a regular expression) take a part of them alone.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from bench import sides
from bench.raw_http import Connection
from bench.sides import Engine, Side

from conformance import junit, moby_images, moby_source
from conformance.suites import Outcome, Suite, Unavailable
from wharf.images import busybox

_TOP = Path(__file__).parent.parent
BASELINE = Path(__file__).with_name("moby_baseline.txt")
SET_ASIDE = Path(__file__).with_name("moby_set_aside.txt")
_REPORTS = _TOP / "build/moby/reports"
_PACKAGE_S = 2400
_VERDICT = re.compile(r"^\s*--- (PASS|FAIL|SKIP): (\S+) \(")
_VERDICTS: Mapping[str, junit.Verdict] = {"PASS": "passed", "FAIL": "failed", "SKIP": "skipped"}

# In the side's own mount namespace: tests mount and look at propagation, and find dockerd's things where they expect
# them. /etc/docker and /run/docker are theirs to write to.
_PREPARE = """
mount --make-rshared / && mkdir -p "$1/run" "$1/etc" /run/docker /etc/docker || exit
mount --bind "$1/run" /run/docker && mount --bind "$1/etc" /etc/docker || exit
shift; exec "$@"
"""

# wharfd without what names the parts of dockerd, in its place in PATH. Tests switch the firewall off because several
# dockerds would fall over each other's rules; tests of the rules themselves are set aside.
_DOCKERD = """#!/usr/bin/python3
import os, sys
kept, given = [], iter(sys.argv[1:])
for word in given:
    name = word.partition("=")[0]
    if name in ("--containerd", "--containerd-namespace", "--containerd-plugins-namespace"):
        if "=" not in word:
            next(given)
    elif name in ("--userland-proxy", "--iptables", "--ip6tables"):
        pass
    else:
        kept.append(word)
command = [{wharfd!r}, *kept]
if settings := os.environ.pop("DOCKER_TEST_RESOLV_CONF_PATH", ""):  # dockerd's own way to be tested
    script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
    command = ["unshare", "--mount", "--propagation", "slave", "sh", "-c", script, settings, *command]
os.execvp(command[0], command)
"""


def run(scratch: Path) -> Outcome:
    """Run the tests against Wharf and compare with what the peer passes."""
    engine = sides.wharf(_TOP / ".venv/bin", scratch / "side")
    programs = scratch / "programs"
    programs.mkdir()
    (programs / "dockerd").write_text(_DOCKERD.format(wharfd=str(_TOP / ".venv/bin/wharfd")))
    (programs / "dockerd").chmod(0o755)
    found = _run(engine, scratch, f"{programs}:{os.environ['PATH']}")
    return junit.outcome(found, _expected())


def run_peer(scratch: Path) -> None:
    """Run the tests against PATH's dockerd and write the baseline anew."""
    engine = sides.dockerd(scratch / "side")
    said = subprocess.run((engine.command[0], "--version"), capture_output=True, text=True, check=True).stdout
    version = moby_source.VERSION.removeprefix("v").partition("+")[0]
    if version not in said:
        raise Unavailable(f"dockerd {version} is not in PATH: {said.strip()}")
    found = _run(engine, scratch, os.environ["PATH"])
    passed = sorted(test for test, verdict in found.items() if verdict == "passed")
    BASELINE.write_text("".join(f"{test}\n" for test in passed))


def set_aside(text: str) -> dict[str, str]:
    """Return the reasons by test, of a file with a test, a tab and a reason in each line."""
    reasons = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            test, _, reasons[test] = line.partition("\t")
    return reasons


def expected(baseline: Iterable[str], aside: Iterable[str]) -> list[str]:
    """Return what is to pass: what the peer passes, but for tests set aside, their parts, and what has those."""
    names = tuple(aside)
    return [
        test
        for test in baseline
        if not any(f"{test}/".startswith(f"{name}/") or name.startswith(f"{test}/") for name in names)
    ]


def _expected() -> list[str]:
    return expected(BASELINE.read_text().splitlines(), set_aside(SET_ASIDE.read_text()))


def _run(engine: Engine, scratch: Path, path: str) -> dict[str, junit.Verdict]:
    """Return each test's verdict by ``package.Test/part``; ``build/moby/reports`` has what each package said."""
    packages = os.environ.get("MOBY_PACKAGES", " ".join(moby_source.PACKAGES)).split()
    for package in packages:
        moby_source.program_of(package)  # before the daemon waits for it
    root = scratch / "side"
    prepare = ("sh", "-c", _PREPARE, "sh", str(root))
    engine = replace(engine, command=(*prepare, *engine.command))
    images = moby_images.archive(busybox.layer())
    _REPORTS.mkdir(parents=True, exist_ok=True)
    found: dict[str, junit.Verdict] = {}
    with sides.running(engine, root, "docker", {}) as side:
        with Connection(side.socket) as connection:
            connection.request("POST", "/images/load", images, "application/x-tar")
        for package in packages:
            found |= verdicts(package, _package(side, scratch, path, package))
    return found


def verdicts(package: str, said: str) -> dict[str, junit.Verdict]:
    """Return each test's verdict of what a Go test program said with ``-test.v``."""
    matches = (match for line in said.splitlines() if (match := _VERDICT.match(line)))
    return {f"{package}.{match[2]}": _VERDICTS[match[1]] for match in matches}


def _package(side: Side, scratch: Path, path: str, package: str) -> str:
    """Run a package's tests where the daemon is, and return what they said; their own failures are no error."""
    folder, program = moby_source.folder_of(package), moby_source.program_of(package)
    report = _REPORTS / f"{side.name}.{program.name}.txt"
    work = scratch / "bundles/work"  # some find their files from there: ../../integration
    work.mkdir(parents=True, exist_ok=True)
    if not (beside := scratch / "integration").exists():
        beside.symlink_to(moby_source.folder_of(""))
    environment = {
        "PATH": path,
        "HOME": str(work),
        "DEST": str(work),
        "TMPDIR": str(work),
        "DOCKER_HOST": side.environment["DOCKER_HOST"],
        "DOCKER_GRAPHDRIVER": "overlay2",
        "TEST_CLIENT_BINARY": "docker",
    }
    command = (
        "nsenter", "--target", str(side.pid), "--net", "--mount", "sh", "-c", 'cd "$1" && shift && exec "$@"', "sh",
        str(folder), str(program), "-test.v", f"-test.timeout={_PACKAGE_S}s",
        f"-test.run={os.environ.get('MOBY_RUN', '')}",
    )  # fmt: skip
    with report.open("wb") as out:
        subprocess.run(command, env=environment, stdout=out, stderr=out, timeout=_PACKAGE_S + 60, check=False)
    shutil.rmtree(work, ignore_errors=True)
    return report.read_text(errors="replace")


SUITE = Suite("moby", len(_expected()), run)

if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="wharf-moby.") as temporary:
        run_peer(Path(temporary))
