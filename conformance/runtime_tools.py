"""The OCI runtime-tools' validation programs, for ``wharf-runtime`` and beside it Debian's crun and runc.

Built by Go's toolchain from the module proxy it is configured for, once, below ``build/runtime-tools``. A program
passes when it exits with 0, prints no "not ok", and complains of nothing before its first test point: some print
test points only of what is wrong.

What cannot be passed on this kind of machine, or not by a runtime that keeps to today's specification, is in
``_BEYOND`` with the reason; the table shows it all the same.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from conformance.suites import Outcome, Suite

_TOP = Path(__file__).parent.parent
_BUILD = _TOP / "build/runtime-tools"
_MODULE = "github.com/opencontainers/runtime-tools"
_VERSION = "v0.9.1-0.20250303011046-260e151b8552"
_BASELINE = Path(__file__).with_name("runtime_tools_baseline.txt")
_TIMEOUT_S = 120

_BEYOND = {
    "hooks": "its expected text lacks words that its own hooks write",
    "linux_cgroups_blkio": "asks for a leaf weight, which went with the CFQ scheduler",
    "linux_cgroups_relative_blkio": "the same",
    "linux_cgroups_hugetlb": "asks for v1's hugetlb hierarchy",
    "linux_cgroups_relative_hugetlb": "the same",
    "linux_cgroups_memory": "asks for a limit of kernel memory, which Linux no longer has",
    "linux_cgroups_relative_memory": "the same",
    "linux_cgroups_network": "asks for v1's net_cls and net_prio hierarchies",
    "linux_cgroups_relative_network": "the same",
    "misc_props": "starts a program that is not in its root",
    "pidfile": "a race: kills a program that ends by itself at once, and wants no error",
    "poststart_fail": "wants a warning where the specification now wants an error",
    "prestart": "wants prestart hooks in start, where the specification has them in create",
    "process_capabilities": "asks for every capability, which this kind of machine does not have",
    "process_capabilities_fail": "wants an error where the specification now wants a warning",
    "process_rlimits": "raises a hard limit without CAP_SYS_RESOURCE",
}

# In a mount namespace of its own: crun refuses to run where some controllers are on v1 and a v2 tree is there too.
_WITHOUT_V2 = "grep -q ' /sys/fs/cgroup/unified cgroup2' /proc/mounts && umount /sys/fs/cgroup/unified; "


def run(scratch: Path) -> Outcome:
    """Run every program for every runtime that is installed; print them in one table."""
    scratch.chmod(0o755)  # a container's root in a user namespace is nobody here
    folder = _build()
    programs = sorted(path.name for path in folder.iterdir() if path.name != "runtimetest")
    results = {"wharf-runtime": _run_all(str(_TOP / ".venv/bin/wharf-runtime"), programs, scratch)}
    for peer in ("crun", "runc"):
        path = shutil.which(peer)
        if path is not None:
            results[peer] = _peer(path, programs, scratch)
    sys.stdout.write(table(results))
    peers = [name for name in results if name != "wharf-runtime"]
    missing = [
        program
        for program in programs
        if program not in _BEYOND
        and not results["wharf-runtime"][program]
        and any(results[name][program] for name in peers)
    ]
    for program in missing:
        sys.stdout.write(f"runtime-tools: a peer passes {program}, wharf-runtime does not\n")
    passed = sum(results["wharf-runtime"].values())
    return Outcome(passed, len(programs) - passed, 0, tuple(missing))


def table(results: dict[str, dict[str, bool]]) -> str:
    """Return the results as text, a line a program."""
    names = list(results)
    lines = ["".join(f"{cell:<36}" if at == 0 else f"{cell:<15}" for at, cell in enumerate(["", *names])).rstrip()]
    for program in sorted(results[names[0]]):
        cells = ["pass" if results[name][program] else "-" for name in names]
        why = "" if cells[0] == "pass" else _BEYOND.get(program, "?")
        lines.append((f"{program:<36}" + "".join(f"{cell:<15}" for cell in cells) + why).rstrip())
    sums = "".join(f"{sum(results[name].values()):<15}" for name in names)
    return "\n".join([*lines, f"{'passed':<36}{sums}".rstrip()]) + "\n"


def passed(code: int, output: str) -> bool:
    """Whether a program that exited so and printed this TAP has passed."""
    lines = output.splitlines()
    points = [at for at, line in enumerate(lines) if line.startswith(("ok", "not ok"))]
    complains = any('"error"' in line for line in lines[: points[0] if points else None])
    return code == 0 and not complains and not any(line.startswith("not ok") for line in lines)


def _passes_by_failing(program: str, errors: str) -> bool:
    """One program that expects an error prints nothing when it gets it, and says so when it does not."""
    return program.endswith("_fail") and "MUST" not in errors


def _run_all(runtime: str, programs: list[str], scratch: Path) -> dict[str, bool]:
    for name in ("runtimetest", f"rootfs-{_go_arch()}.tar.gz"):
        source = _BUILD / "bin" / name if name == "runtimetest" else _BUILD / name
        if not (scratch / name).exists():
            shutil.copy(source, scratch / name)
    return {program: _run_one(runtime, program, scratch) for program in programs}


def _run_one(runtime: str, program: str, scratch: Path) -> bool:
    prepare = _WITHOUT_V2 if runtime.endswith("crun") else ""
    logs = _BUILD / "logs" / Path(runtime).name
    logs.mkdir(parents=True, exist_ok=True)
    bundles = scratch / "bundles"
    bundles.mkdir(exist_ok=True)
    try:
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", f'{prepare}exec "$0"', str(_BUILD / "bin" / program)],
            cwd=scratch,
            env={**os.environ, "RUNTIME": runtime, "TMPDIR": str(bundles)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    finally:
        shutil.rmtree(bundles, ignore_errors=True)
        _remove_groups()
    (logs / f"{program}.tap").write_text(done.stdout)
    (logs / f"{program}.err").write_text(done.stderr)
    if not done.stdout.strip():
        return done.returncode == 0 and _passes_by_failing(program, done.stderr)
    return passed(done.returncode, done.stdout)


def _remove_groups() -> None:
    """Remove the parents of groups that the programs ask for, and that no runtime knows to be theirs."""
    for top in [*Path("/sys/fs/cgroup").glob("*/testdir"), *Path("/sys/fs/cgroup").glob("*/cgrouptest")]:
        for folder in sorted((p for p in [top, *top.rglob("*")] if p.is_dir()), reverse=True):
            try:
                folder.rmdir()
            except OSError:  # somebody is still in it
                break


def _peer(path: str, programs: list[str], scratch: Path) -> dict[str, bool]:
    """Return what a peer passes: from the last time, when it is still the same."""
    version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    cache = _BUILD / f"{Path(path).name}.json"
    if cache.exists():
        known = json.loads(cache.read_text())
        if known["version"] == version and sorted(known["results"]) == programs:
            return {str(program): bool(ok) for program, ok in known["results"].items()}
    results = _run_all(path, programs, scratch)
    cache.write_text(json.dumps({"version": version, "results": results}, indent=1) + "\n")
    return results


def _go_arch() -> str:
    return {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]


def _build() -> Path:
    """Build the programs, unless that version of them is there; return their folder."""
    stamp = _BUILD / "version"
    if stamp.exists() and stamp.read_text() == _VERSION:
        return _BUILD / "bin"
    _BUILD.mkdir(parents=True, exist_ok=True)
    (_BUILD / "go.mod").write_text(f"module conformance\n\ngo 1.19\n\nrequire {_MODULE} {_VERSION}\n")
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=mod -trimpath"}
    go = shutil.which("go") or "/usr/lib/go/bin/go"
    packages = [f"{_MODULE}/validation/...", f"{_MODULE}/cmd/runtimetest"]
    build = [go, "build", "-ldflags", "-s -w", "-o", "bin/", *packages]
    subprocess.run(build, cwd=_BUILD, env=environment, check=True)
    listed = subprocess.run(
        [go, "list", "-m", "-f", "{{.Dir}}", _MODULE], cwd=_BUILD, env=environment, capture_output=True, check=True
    )
    rootfs = Path(listed.stdout.decode().strip()) / f"rootfs-{_go_arch()}.tar.gz"
    shutil.copyfile(rootfs, _BUILD / rootfs.name)
    stamp.write_text(_VERSION)
    return _BUILD / "bin"


SUITE = Suite("runtime-tools", len(_BASELINE.read_text().split()), run)
