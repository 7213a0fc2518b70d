"""Dockerfiles of BuildKit's own tests and of well-known projects, as data, from the Go module proxy.

Of the tests of BuildKit's linter each case is judged whole: the rules that are broken, where, and what is said. All
other Dockerfiles, those in the texts of its tests and those of other projects, must be read, converted to a graph and
looked over without anything but a clear refusal; those of projects without any.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from conformance.suites import Outcome, Suite, Unavailable
from wharf.build.checks.check import Report, check
from wharf.build.checks.settings import settings_of
from wharf.build.convert.convert import Converted, Known, Missing, convert
from wharf.build.convert.options import UNKNOWN_IMAGE, BaseImage, Options
from wharf.build.dockerfile.parser import parse
from wharf.build.dockerfile.stages import read
from wharf.errors import InvalidArgument
from wharf.images.platform import Platform
from wharf.lib.ignore import Matcher, read_patterns

_BUILDKIT: Final = "github.com/moby/buildkit@v0.34.2"
_PROJECTS: Final = (
    ("github.com/docker/docker@v28.5.2+incompatible", "Dockerfile"),
    ("github.com/docker/buildx@v0.38.2", "Dockerfile"),
    ("github.com/moby/buildkit@v0.34.2", "Dockerfile"),
    ("github.com/distribution/distribution/v3@v3.1.2", "Dockerfile"),
    ("github.com/prometheus/prometheus@v0.316.0", "Dockerfile"),
    ("github.com/prometheus/alertmanager@v0.35.0", "Dockerfile"),
    ("github.com/prometheus/node_exporter@v1.12.1", "Dockerfile"),
    ("github.com/rclone/rclone@v1.76.0", "Dockerfile"),
    ("github.com/coredns/coredns@v1.15.0", "Dockerfile"),
    ("github.com/traefik/traefik/v3@v3.7.13", "Dockerfile"),
    ("github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c", "Dockerfile.release"),
    ("github.com/hashicorp/vault@v1.21.4", "Dockerfile"),
    ("code.gitea.io/gitea@v1.27.3", "Dockerfile"),
    ("github.com/argoproj/argo-cd/v2@v2.14.21", "Dockerfile"),
    ("github.com/grafana/loki/v3@v3.7.8", "cmd/logcli/Dockerfile"),
    ("github.com/restic/restic@v0.10.0", "docker/Dockerfile"),
    ("github.com/nats-io/nats-server/v2@v2.15.3", "docker/Dockerfile.nightly"),
    ("github.com/anchore/syft@v1.57.1", "Dockerfile"),
    ("github.com/aquasecurity/trivy@v0.74.0", "Dockerfile"),
    ("github.com/ollama/ollama@v0.17.4", "Dockerfile"),
    ("github.com/open-policy-agent/opa@v1.22.3", "wasm/Dockerfile"),
    ("github.com/influxdata/telegraf@v1.37.2", "plugins/outputs/postgresql/Dockerfile"),
)
_BUSYBOX: Final = BaseImage(
    "",
    {
        "os": "linux",
        "architecture": "amd64",
        "config": {"Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [""]},
    },
)
_HERE: Final = Platform("linux", "amd64")
_TEXT: Final = re.compile(
    r"(\w*[dD]ocker(?:ignore|file)\w*|df)\s*:?=\s*"
    r"(?:(?:\[\]byte\()?(?:integration\.UnixOrWindows\()?\s*|fmt\.Appendf\(nil,\s*)`([^`]*)`"
)
_USED: Final = re.compile(r"\b(Dockerfile|DockerIgnore):\s*(\w+)")
_IGNORED: Final = re.compile(r"DockerIgnore:\s*\[\]byte\(`([^`]*)`")
_CASE: Final = re.compile(r"checkLinterWarnings\(t, sb, &lintTestParams\{(.*?)\n?\t*\}\)", re.DOTALL)
_WARNING: Final = re.compile(r'RuleName:\s*"(\w+)",.*?Detail:\s*("(?:[^"\\]|\\.)*"|`[^`]*`),.*?\n\t+\}', re.DOTALL)
_LINE: Final = re.compile(r"\bLine:\s*(\d+)")
_ATTRIBUTE: Final = re.compile(r'"build-arg:(\w+)":\s*(?:integration\.UnixOrWindows\()?"((?:[^"\\]|\\.)*)"')

Finding = tuple[str, int, str]


@dataclass(slots=True)
class Case:
    """One case of the linter's tests."""

    name: str
    dockerfile: str
    ignored: str = ""
    arguments: dict[str, str] = field(default_factory=dict)
    expected: list[Finding] = field(default_factory=list)
    lined: bool = True  # whether the test compares lines: it does not where it lists what a check alone finds


def run(scratch: Path) -> Outcome:
    """Run every case; print those that fail."""
    del scratch
    folder = _module(_BUILDKIT) / "frontend/dockerfile"
    results = dict([*_linted(folder), *_texts(folder), *_projects()])
    failed = tuple(name for name, good in results.items() if not good)
    for name in failed:
        sys.stdout.write(f"dockerfile-cases: failed: {name}\n")
    return Outcome(len(results) - len(failed), len(failed), 0, failed)


def _module(name: str) -> Path:
    done = subprocess.run(["go", "mod", "download", "-json", name], capture_output=True, check=False, timeout=600)
    found = json.loads(done.stdout or b"{}")
    if "Dir" not in found:
        raise Unavailable(f"{name} cannot be had: {found.get('Error') or done.stderr.decode()[-200:]}")
    return Path(found["Dir"])


def cases(source: str) -> Iterator[Case]:
    """Yield the linter's cases in the text of its tests: the texts before a call, and what the call expects. Pure."""
    for number, call in enumerate(_CASE.finditer(source)):
        function = source.rfind("\nfunc test", 0, call.start())
        texts = dict(_TEXT.findall(source[function : call.start()]))
        used = dict(_USED.findall(call[1]))
        if used.get("Dockerfile") not in texts or "fmt.Sprintf" in call[1] or "makeLint" in call[1]:
            continue  # put together there
        _, checked_alone, said = call[1].partition("UnmarshalWarnings:")
        name = source[function + 10 : source.index("(", function)]
        yield Case(
            f"lint {name} {number}",
            texts[used["Dockerfile"]].replace("%s", "busybox"),  # what its formats are given
            texts.get(used.get("DockerIgnore", ""), "".join(_IGNORED.findall(call[1]))),
            dict(_ATTRIBUTE.findall(call[1])),
            [(rule, int(_LINE.findall(one)[-1]), _go(detail)) for rule, detail, one in _warnings(said or call[1])],
            lined=not checked_alone,
        )


def _warnings(text: str) -> Iterator[tuple[str, str, str]]:
    for found in _WARNING.finditer(text):
        yield found[1], found[2], found[0]


def _go(literal: str) -> str:
    return literal[1:-1] if literal.startswith("`") else str(json.loads(literal))


def _linted(folder: Path) -> Iterator[tuple[str, bool]]:
    for case in [case for path in sorted(folder.glob("*_test.go")) for case in cases(path.read_text())]:
        try:
            report = looked_over(case.dockerfile.encode(), case.arguments, case.ignored)
        except InvalidArgument:
            yield case.name, not case.expected
            continue
        found = [(one.rule.name, one.lines[0], one.detail) for one in report.findings]
        good = _compared(found, case) == _compared(case.expected, case)
        if not good:
            sys.stdout.write(f"dockerfile-cases: {case.name}: found {found}\n  expected {case.expected}\n")
        yield case.name, good


def looked_over(data: bytes, arguments: dict[str, str] | None = None, ignored: str = "") -> Report:
    """Return what is said of a Dockerfile whose images nobody knows. Pure.

    Raises:
        InvalidArgument: its statements cannot be told apart.
    """
    text = data.decode("utf-8", "surrogateescape")
    options = Options(_HERE, _HERE, build_args=arguments or {})
    settings = settings_of(text, arguments or {})
    known: Known = {}
    matcher = Matcher(read_patterns(ignored))
    while isinstance(found := check(parse(text), options, settings, known, matcher, every_stage=True), Missing):
        known = {**known, **dict.fromkeys(found.images, _BUSYBOX)}
    return found


def _converted(data: bytes) -> Converted:
    dockerfile = read(data.decode("utf-8", "surrogateescape"))
    known: Known = {}
    while isinstance(found := convert(dockerfile, Options(_HERE, _HERE), known), Missing):
        known = {**known, **dict.fromkeys(found.images, UNKNOWN_IMAGE)}
    return found


def _compared(findings: list[Finding], case: Case) -> list[Finding]:
    return sorted((rule, line if case.lined else 0, detail) for rule, line, detail in findings)


def _texts(folder: Path) -> Iterator[tuple[str, bool]]:
    """Whatever they hold, nothing but a refusal may come of the Dockerfiles in the tests."""
    for path in sorted(folder.glob("*_test.go")):
        for number, (name, text) in enumerate(_TEXT.findall(path.read_text())):
            if "ignore" not in name:
                yield f"{path.name} {number}", _is_clear(text.encode())


def _is_clear(data: bytes) -> bool:
    try:
        _converted(data)
        looked_over(data)
    except InvalidArgument:
        return True
    except Exception as error:  # noqa: BLE001  # what a judge is for
        sys.stdout.write(f"dockerfile-cases: {type(error).__name__}: {error}\n")
        return False
    return True


def _projects() -> Iterator[tuple[str, bool]]:
    for module, *paths in _PROJECTS:
        folder = _module(module)
        for path in paths:
            yield f"{module} {path}", _is_whole((folder / path).read_bytes())


def _is_whole(data: bytes) -> bool:
    try:
        return _converted(data).target is not None and looked_over(data).error is None
    except Exception as error:  # noqa: BLE001  # likewise
        sys.stdout.write(f"dockerfile-cases: {type(error).__name__}: {error}\n")
        return False


SUITE = Suite("dockerfile-cases", baseline=443, run=run)
