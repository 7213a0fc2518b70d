"""Every attribute of the Compose Specification has an effect, or is refused or warned of: none is ignored.

tests/data/compose_attributes.tsv has a row an attribute, from the specification's schema. For each leaf two projects
are made that differ in it alone; what would be asked of the engine for them, or what is said, must differ.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.fakes.compose import loaded
from tests.fakes.simulated import Simulated

from wharf.cli.build.caches import caches_of
from wharf.cli.compose.building import build_options, check_build, contexts, grants, lent_secrets, secret_files
from wharf.compose.create.document import Make, Others, container_document
from wharf.compose.create.files import injected_files
from wharf.compose.create.networking import network_document, volume_document
from wharf.compose.execute.hooks import pre_start_document
from wharf.compose.execute.models import configuration
from wharf.compose.load.unsupported import limits_of
from wharf.compose.model.build import Build
from wharf.compose.model.project import Project
from wharf.compose.plan.converge import converge
from wharf.compose.plan.images import image_needs
from wharf.compose.plan.sync import plan_sync
from wharf.compose.plan.work import Options
from wharf.compose.provided.api_socket import wants_socket, with_api_socket
from wharf.compose.provided.protocol import Metadata, arguments
from wharf.compose.provided.variables import with_models
from wharf.errors import WharfError

_TABLE = (Path(__file__).parents[2] / "data/compose_attributes.tsv").read_text().splitlines()[1:]
_ROWS = {line.split("\t")[1]: line.split("\t")[2] for line in _TABLE}

# Consumed while files are loaded, each by tests of its own (tests/unit/compose/load).
_LOADING = ("version", "name", "include", "services.<name>.extends", "services.<name>.profiles")
# Shown by other tests, for more than one of a kind is needed, or a file that is not there.
_ELSEWHERE = {
    "services.<name>.networks.<name>.priority": "tests/unit/compose/create/test_networking.py",
    "services.<name>.pull_refresh_after": "tests/unit/compose/plan/test_images.py",
    "services.<name>.env_file[].required": "tests/unit/compose/load/test_environment.py",
    "services.<name>.env_file[].format": "tests/unit/compose/load/test_environment.py",
    "models.<name>.name": "in progress alone: tests/unit/compose/execute/test_models.py",
    "configs.<name>.name": "in errors alone: tests/unit/compose/create/test_files.py",
    "secrets.<name>.name": "in errors alone: tests/unit/compose/create/test_files.py",
}
# What may stand beside others in its part, so that the part is complete.
_BESIDE: dict[str, dict[str, Any]] = {
    "services.<name>": {"image": "x"},
    "services.<name>.build": {"context": "."},
    "services.<name>.build.secrets[]": {"source": "s"},
    "services.<name>.blkio_config.weight_device[]": {"path": "/d", "weight": 9},
    **{
        f"services.<name>.blkio_config.device_{way}[]": {"path": "/d", "rate": 9}
        for way in ("read_bps", "read_iops", "write_bps", "write_iops")
    },
    "services.<name>.configs[]": {"source": "c", "mode": 0o440},
    "services.<name>.secrets[]": {"source": "s", "mode": 0o440},
    "services.<name>.develop.watch[]": {
        "path": "/w",
        "action": "sync+exec",
        "target": "/t",
        "exec": {"command": "x"},
    },
    "services.<name>.develop.watch[].exec": {"command": "x"},
    "services.<name>.devices[]": {"source": "/dev/a"},
    "services.<name>.depends_on.<name>": {"condition": "service_healthy"},
    "services.<name>.deploy.resources.reservations.devices[]": {"capabilities": ["gpu"]},
    "services.<name>.gpus[]": {"driver": "d"},
    "services.<name>.env_file[]": {"path": "e"},
    "services.<name>.healthcheck": {"test": ["CMD", "x"]},
    "services.<name>.logging": {"driver": "d"},
    "services.<name>.ports[]": {"target": 80},
    "services.<name>.post_start[]": {"command": "x"},
    "services.<name>.pre_stop[]": {"command": "x"},
    "services.<name>.pre_start[]": {"command": "x"},
    "services.<name>.ulimits.<name>": {"soft": 5, "hard": 9},
    "services.<name>.build.ulimits.<name>": {"soft": 5, "hard": 9},
    "services.<name>.volumes[]": {"type": "bind", "source": "/a", "target": "/t"},
    "services.<name>.deploy.restart_policy": {"condition": "on-failure"},
    "services.<name>.provider": {"type": "t"},
    "models.<name>": {"model": "m"},
    "secrets.<name>": {"file": "f"},
    "configs.<name>": {"file": "f"},
    "networks.<name>.ipam.config[]": {"subnet": "10.0.0.0/24"},
}
# Values that differ, where those of the type would not do.
_PAIRS: dict[str, tuple[Any, Any]] = {
    "services.<name>.deploy.mode": ("replicated", "global"),
    "services.<name>.deploy.endpoint_mode": (None, "dnsrr"),
    "services.<name>.attach": (True, False),
    "services.<name>.container_name": ("one", "two"),
    "services.<name>.deploy.rollback_config.order": ("start-first", "stop-first"),
    "services.<name>.deploy.update_config.order": ("start-first", "stop-first"),
    "services.<name>.build.entitlements": ([], ["network.host"]),
    "services.<name>.build.platforms": (["a"], ["b"]),
    "services.<name>.build.dockerfile_inline": ("FROM a", "FROM b"),
    "services.<name>.cgroup": ("host", "private"),
    "services.<name>.command": ("a", "b"),
    "services.<name>.cpu_rt_period": ("1ms", "2ms"),
    "services.<name>.cpu_rt_runtime": ("1ms", "2ms"),
    "services.<name>.cpus": (1, 2),
    "services.<name>.depends_on": (["b"], []),
    "services.<name>.depends_on.<name>.condition": ("service_started", "service_healthy"),
    "services.<name>.develop.watch[].action": ("sync+exec", "rebuild"),
    "services.<name>.develop.watch[].path": ("/w", "/v"),
    "services.<name>.develop.watch[].ignore": ([], ["f"]),
    "services.<name>.develop.watch[].include": (["f"], ["g"]),
    "services.<name>.env_file": ("e", "e2"),
    "services.<name>.env_file[].path": ("e", "e2"),
    "services.<name>.env_file[].format": (None, "raw"),
    "services.<name>.env_file[].required": (True, False),
    "services.<name>.label_file": ("e", "e2"),
    "services.<name>.expose": (["80"], ["81"]),
    "services.<name>.external_links": (["a:b"], ["a:c"]),
    "services.<name>.extra_hosts": (["a:1.1.1.1"], ["a:2.2.2.2"]),
    "services.<name>.build.extra_hosts": (["a:1.1.1.1"], ["a:2.2.2.2"]),
    "services.<name>.gpus": ("all", []),
    "services.<name>.build.extra_hosts.<name>": ("1.1.1.1", "2.2.2.2"),
    "services.<name>.extra_hosts.<name>": ("1.1.1.1", "2.2.2.2"),
    "services.<name>.links": (["b"], ["b:c"]),
    "services.<name>.models": (None, ["m"]),
    "services.<name>.network_mode": ("host", "none"),
    "services.<name>.networks": (["n"], ["n2"]),
    "services.<name>.networks.<name>.ipv4_address": ("10.0.0.2", "10.0.0.3"),
    "services.<name>.networks.<name>.ipv6_address": ("fd00::2", "fd00::3"),
    "services.<name>.platform": ("linux/a", "linux/b"),
    "services.<name>.ports[].mode": ("ingress", "host"),
    "services.<name>.ports": (["80"], ["81"]),
    "services.<name>.ports[]": ("80", "81"),
    "services.<name>.ports[].protocol": ("tcp", "udp"),
    "services.<name>.ports[].published": (8080, 8081),
    "services.<name>.pull_policy": ("always", "build"),
    "services.<name>.restart": ("always", "no"),
    "services.<name>.security_opt": (["a=b"], ["a=c"]),
    "services.<name>.tmpfs": ("/a", "/b"),
    "services.<name>.volumes": (["/a:/b"], ["/a:/c"]),
    "services.<name>.volumes_from": (["b"], ["b:ro"]),
    "services.<name>.volumes[]": ("/a:/b", "/a:/c"),
    "services.<name>.volumes[].type": ("bind", "tmpfs"),
    "services.<name>.volumes[].source": ("/a", "/b"),
    "services.<name>.volumes[].target": ("/b", "/c"),
    "services.<name>.volumes[].bind.selinux": (None, "z"),
    "services.<name>.volumes[].bind.recursive": ("enabled", "disabled"),
    "services.<name>.devices": (["/dev/a"], ["/dev/b"]),
    "services.<name>.devices[]": ("/dev/a", "/dev/b"),
    "services.<name>.configs": (["c"], ["c2"]),
    "services.<name>.configs[]": ("c", "c2"),
    "services.<name>.configs[].source": ("c", "c2"),
    "services.<name>.secrets": (["s"], ["s2"]),
    "services.<name>.secrets[]": ("s", "s2"),
    "services.<name>.secrets[].source": ("s", "s2"),
    "services.<name>.build.secrets": (["s"], ["s2"]),
    "services.<name>.build.secrets[]": ("s", "s2"),
    "services.<name>.build.secrets[].source": ("s", "s2"),
    "services.<name>.healthcheck.test": ("a", "b"),
    "services.<name>.ulimits.<name>": (5, 6),
    "services.<name>.build.ulimits.<name>": (5, 6),
    "services.<name>.environment": (["A=1"], ["A=2"]),
    "services.<name>.uts": ("host", None),
    "services.<name>.build": (".", "./b"),
    "services.<name>.provider": (None, {"type": "t"}),
    "services.<name>.deploy.update_config": (None, {"parallelism": 1}),
    "services.<name>.image": ("x", "y"),
    "services.<name>.deploy.restart_policy.condition": ("none", "any"),
    "services.<name>.sysctls": (["a=1"], ["a=2"]),
    "services.<name>.blkio_config.weight": (100, 200),
    "services.<name>.pid": ("host", None),
    "services.<name>.logging.options.<name>": ("1", "2"),
    "services.<name>.storage_opt": ({"size": "1G"}, {"size": "2G"}),
    "services.<name>.group_add": (["1"], ["2"]),
    "services.<name>.use_api_socket": (True, False),
    "configs.<name>.content": ("a", "b"),
    "configs.<name>.environment": ("E", "E2"),
    "secrets.<name>.environment": ("E", "E2"),
    "configs.<name>.external": (None, True),
    "secrets.<name>.external": (None, True),
    "networks.<name>.external": (False, True),
    "volumes.<name>.external": (False, True),
    **{f"{kind}.<name>.external.name": ("a", "b") for kind in ("networks", "volumes", "configs", "secrets")},
    "networks.<name>.ipam.config[].subnet": ("10.0.0.0/24", "10.1.0.0/24"),
}
_PAIRS |= {
    f"services.<name>.{path}": ("1s", "2s")
    for path in (
        "deploy.rollback_config.delay", "deploy.rollback_config.monitor", "deploy.update_config.delay",
        "deploy.update_config.monitor", "deploy.restart_policy.delay", "deploy.restart_policy.window",
        "healthcheck.interval", "healthcheck.timeout", "healthcheck.start_period", "healthcheck.start_interval",
        "stop_grace_period",
    )
}  # fmt: skip
_ONE_OF = {  # takes the place of what stands beside it
    "configs.<name>.content", "configs.<name>.environment", "secrets.<name>.environment", "configs.<name>.external",
    "secrets.<name>.external", "configs.<name>.external.name", "secrets.<name>.external.name",
}  # fmt: skip
_USES: dict[str, Any] = {
    "networks": ["n"],
    "volumes": ["vol:/v"],
    "secrets": ["s"],
    "configs": ["c"],
    "models": ["m"],
}


def _of_type(kind: str) -> tuple[Any, Any]:
    if "string" in kind.split("|") and "integer" not in kind and "number" not in kind and "boolean" not in kind:
        return "1", "2"
    if kind.startswith(("integer", "number")) or "integer" in kind.split("|") or "number" in kind.split("|"):
        return 1, 2
    if "boolean" in kind.split("|"):
        return True, False
    if "array<string" in kind and not kind.startswith("map"):
        return ["1"], ["2"]
    return {"k": "1"}, {"k": "2"}


def _leaves() -> list[str]:
    """Return the attributes that no other is below of, and those that have a short form besides."""
    parents = {path.removesuffix(".<name>").removesuffix("[]") for path in _ROWS if path.endswith((".<name>", "[]"))}
    parents |= {path.rpartition(".")[0] for path in _ROWS} | {
        path.rpartition(".")[0].removesuffix("[]") for path in _ROWS
    }
    return [
        path for path in _ROWS
        if (path not in parents or path in _PAIRS) and not path.startswith(_LOADING) and path not in _ELSEWHERE
        and (_ROWS[path] != "object" or path in _PAIRS)
    ]  # fmt: skip


def _nest(path: str, value: object) -> dict[str, Any]:
    """Return a document with ``value`` at ``path``, and beside it what its parts need."""
    parts = path.replace("[]", ".[]").split(".")
    names = {"services": "a", "networks": "n", "volumes": "vol", "secrets": "s", "configs": "c", "models": "m"}
    key = names[parts[0]]

    def build(at: int, prefix: str) -> Any:
        if at == len(parts):
            return value
        part = parts[at]
        if part == "[]":
            item = build(at + 1, f"{prefix}[]")
            return [] if item is None else [item]
        whole = f"{prefix}.{part}" if prefix else part
        name = (
            part
            if part != "<name>"
            else (key if at == 1 else {"depends_on": "b", "networks": "n", "models": "m"}.get(parts[at - 1], "k"))
        )
        beside = {} if path in _ONE_OF and value is not None else dict(_BESIDE.get(prefix, {}))
        if prefix.endswith(".volumes[]") and part in {"volume", "tmpfs", "image"}:
            beside = {"type": part, "source": "vol", "target": "/t"}
        item = build(at + 1, whole)
        return beside if item is None else {**beside, name: item}

    found: dict[str, Any] = build(0, "")
    return found


def _document(path: str, value: object) -> dict[str, Any]:
    document = _nest(path, value)
    services = document.setdefault("services", {})
    one = services.setdefault("a", {"image": "x"})
    if isinstance(one, dict):
        if path.startswith("services.<name>.build"):
            one.pop("image", None)
        kind = path.partition(".")[0]
        if kind in _USES:
            one[kind] = _USES[kind]
            if kind in {"secrets", "configs"}:
                one[kind] = [{"source": _USES[kind][0], "mode": 0o440}]
    services["b"] = {"image": "y", "healthcheck": {"test": ["CMD", "x"]}}
    for kind, names in {
        "networks": ("n", "n2"),
        "volumes": ("vol",),
        "secrets": ("s", "s2"),
        "configs": ("c", "c2"),
        "models": ("m",),
    }.items():
        section = document.setdefault(kind, {})
        for name in names:
            default = {"file": name} if kind in {"secrets", "configs"} else {"model": "m"} if kind == "models" else {}
            section.setdefault(name, default)
    return document


def _effects(document: dict[str, Any]) -> list[object]:
    """Return all that would be asked of an engine, and all that is said."""
    files = {"/app/compose.yaml": yaml.safe_dump(document), "/app/e": "A='1'\n", "/app/e2": "A=2\n"}
    try:
        found = loaded(files, variables={"E": "1", "E2": "2"})
        warnings = limits_of(found.tree, found.project.services)
    except WharfError as error:
        return [str(error)]
    return [warnings, *_asked(found.project)]


def _build_of(project: Project) -> list[object]:
    service = project.services["a"]
    build = service.build
    if build is None:
        return []
    check_build(service, build)
    return [
        build_options(project, service, build),
        grants(build),
        contexts(project, build),
        sorted(lent_secrets(project, service, build)),
        sorted(build.ssh.items()),
        [build.dockerfile, build.dockerfile_inline, build.context, build.tags],
        str(caches_of(build.cache_from, build.cache_to).options),
    ]


def _asked(project: Project) -> list[object]:
    project = with_models(project, "http://runner")
    if wants_socket(project):
        project = with_api_socket(project, "unix:///s", {})
    a = project.services["a"]
    others = Others(lambda name: f"id-{name}", lambda name: [f"app-{name}-1"], lambda _: b"{}")
    # The last three are given beside the document, or are for the foreground alone.
    effects: list[object] = [container_document(project, a, Make(), others), a.platform, a.attach, a.pull_policy]
    effects += [network_document(project, key) for key in project.networks]
    effects += [volume_document(project, key) for key in project.volumes]
    effects += [pre_start_document(project, a, hook, "c", others) for hook in a.pre_start]
    effects += [arguments(Metadata(), a.provider, "up", "app", "a"), a.provider.type] if a.provider else []
    effects += [configuration(model, (1, 0, 6)) for model in project.models.values()]
    effects += [(hook.command, hook.user, hook.privileged, hook.working_dir, hook.environment)
                for hook in (*a.post_start, *a.pre_stop)]  # fmt: skip
    effects += [
        (work.action, work.changes, work.trigger) for work in plan_sync(project, ["/w", "/w/f", "/w/g", "/v"])
    ]
    for do in (
        lambda: _build_of(project),
        lambda: secret_files(lambda: "Wharf", a, a.build or Build()),
        lambda: injected_files(project, a, lambda path: path.encode()),
        lambda: [str(need) for need in image_needs(project, {})],
        lambda: [(str(one), one.details) for one in converge(project, Simulated(project).observed, Options())],
    ):  # fmt: skip
        try:
            effects.append(do())
        except WharfError as error:
            effects.append(str(error))
    for label in ("config-hash",):  # it differs with everything
        for effect in effects:
            if isinstance(effect, dict) and isinstance(effect.get("Labels"), dict):
                effect["Labels"].pop(f"com.docker.compose.{label}", None)
    return effects


@pytest.mark.parametrize("path", _leaves())
def test_attribute_has_an_effect_or_is_told(path: str) -> None:
    one, other = _PAIRS.get(path) or _of_type(_ROWS[path])

    first, second = _effects(_document(path, one)), _effects(_document(path, other))
    assert first != second or _is_told(path, str(second))
    for found in (first, second):  # a value that no file may have would show nothing
        assert len(found) > 1 or _is_told(path, str(found)), found


def _is_told(path: str, said: str) -> bool:
    """Return whether it is refused or warned of by its own name, or that of a part it is in."""
    parts = path.replace("services.<name>", "services.a").replace("configs.<name>", "configs.c").replace(
        "secrets.<name>", "secrets.s").replace("[]", ".0").split(".")  # fmt: skip
    whole = [".".join(parts[:count]) for count in range(3, len(parts) + 1)]
    return any(f"{part} is not supported here" in said or f"{part}: it needs BuildKit" in said for part in whole)


def test_table_is_walked_whole() -> None:
    leaves = _leaves()

    def is_covered(path: str) -> bool:
        below = any(leaf == path or leaf.startswith((f"{path}.", f"{path}[")) for leaf in leaves)
        return below or path.startswith(_LOADING) or path in _ELSEWHERE

    assert len(_ROWS) == 413
    assert [path for path in _ROWS if not is_covered(path)] == []
