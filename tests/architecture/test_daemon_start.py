"""What the daemon loads before it is asked for anything: it stays loaded for as long as the machine is up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_PROGRAM = """
import importlib, pkgutil, sys
import wharf.daemon
for module in pkgutil.iter_modules(wharf.daemon.__path__, "wharf.daemon."):
    if module.name != "wharf.daemon.__main__":
        importlib.import_module(module.name)
print(*sys.modules)
"""
# Of use to who asks for it: builds, transfers, projects, a plain user, a person at a terminal.
_WHEN_NEEDED = {
    "compression": {"isal", "zstandard"},
    "grpc": {"google", "hpack", "wharf.rpc.connection", "wharf.spec.buildkit"},
    "builds": {
        "wharf.build.checks", "wharf.build.convert", "wharf.build.dockerfile", "wharf.build.graph", "wharf.build.llb",
        "wharf.build.session", "wharf.build.solver.solver", "wharf.engine.buildkit", "wharf.engine.builds.build",
        "wharf.engine.builds.classic",
    },
    "registries": {"wharf.images.pull", "wharf.images.push", "wharf.images.registry.transport"},
    "for people": {"yaml", "rich", "jsonschema", "click"},
    "other programs": {
        "wharf.cli", "wharf.client", "wharf.compose", "wharf.doctor", "wharf.resolver", "wharf.rootless.world",
        "wharf.runtime", "wharf.shim",
    },
}  # fmt: skip


def loaded_by_the_daemon() -> set[str]:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_daemon_starts_without_what_only_some_requests_need() -> None:
    loaded = loaded_by_the_daemon()

    found = {
        use: sorted(module for module in loaded for name in names if module == name or module.startswith(f"{name}."))
        for use, names in _WHEN_NEEDED.items()
    }
    assert "wharf.engine.engine" in loaded
    assert {use: modules for use, modules in found.items() if modules} == {}


def test_every_module_of_ours_that_is_named_here_exists() -> None:
    source = Path(__file__).parent.parent.parent / "src"
    ours = {name for names in _WHEN_NEEDED.values() for name in names if name.startswith("wharf.")}

    assert [
        name
        for name in sorted(ours)
        if not (source / f"{name.replace('.', '/')}.py").exists() and not (source / name.replace(".", "/")).is_dir()
    ] == []
