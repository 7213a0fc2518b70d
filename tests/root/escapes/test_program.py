"""CVE-2019-5736: the container has its own runtime executed, or opens it, to write to the host's file later."""

from __future__ import annotations

from typing import Any

import pytest
from tests.root.escapes.pair import Pair
from tests.root.escapes.weakened import Package, Packages, interpreter
from tests.root.escapes.weakenings import ANY_PROGRAM, UNSEALED
from tests.root.runtime.conftest import CAPABILITIES, Bundle

pytestmark = pytest.mark.root

_LOOK = "import os; status = os.stat('/proc/self/exe'); print(status.st_dev, status.st_ino)"


def _hosts_libraries(bundle: Bundle) -> list[Any]:
    """Let the host's interpreter work in the container; return the mount for it."""
    for folder in ("lib", "lib64"):
        (bundle.lower / folder).symlink_to(f"usr/{folder}")
    return [{"destination": "/usr", "type": "bind", "source": "/usr", "options": ["rbind", "ro"]}]


@pytest.mark.parametrize("way", ["direct", "embryo"])
@pytest.mark.parametrize("kind", ["link", "script"])
def test_a_program_that_is_the_runtime_itself_is_not_executed(
    bundle: Bundle, packages: Packages, way: str, kind: str
) -> None:
    evil = bundle.lower / "bin" / "evil"
    if kind == "link":
        evil.symlink_to("/proc/self/exe")
    else:
        evil.write_text(f"#!/proc/self/exe\n{_LOOK}\n")
        evil.chmod(0o755)
    arguments = ["evil", "-I", "-S", "-c", _LOOK] if kind == "link" else ["evil"]
    spec = bundle.spec(arguments)
    usual = list(spec["mounts"])
    spec["mounts"] += _hosts_libraries(bundle)
    spec["linux"]["namespaces"] = [{"type": t} for t in ("mount", "pid", "uts", "ipc", "network")]

    def attack(package: Package) -> tuple[str, str]:
        output, error = package.run(bundle, spec, way=way, usual_mounts=usual)
        return output.strip(), error

    assert attack(packages(*ANY_PROGRAM.patches)) == (interpreter(), "")
    output, error = attack(packages())
    assert output == ""
    assert "it is the host's interpreter" in error


def test_who_may_trace_does_not_get_the_hosts_file_from_a_process_that_waits(
    bundle: Bundle, packages: Packages
) -> None:
    def attack(package: Package) -> str:
        with Pair(bundle, package, [*CAPABILITIES, "CAP_SYS_PTRACE"]) as pair:
            return pair.look("stat", "-L", "-c", "%d %i", f"/proc/{pair.victim}/exe").strip()

    assert attack(packages(*UNSEALED.patches)) == interpreter()
    assert attack(packages()) not in ("", interpreter())


def test_an_exec_that_executes_itself_holds_a_copy(bundle: Bundle, packages: Packages) -> None:
    """The check of the program's file can be outrun; what comes after it must do."""
    (bundle.lower / "bin" / "evil").symlink_to("/proc/self/exe")
    mounts = _hosts_libraries(bundle)

    def attack(package: Package) -> str:
        with Pair(bundle, package, CAPABILITIES, mounts) as pair:
            return pair.look("evil", "-I", "-S", "-c", _LOOK).strip()

    assert attack(packages(*ANY_PROGRAM.patches, *UNSEALED.patches)) == interpreter()
    assert attack(packages(*ANY_PROGRAM.patches)) not in ("", interpreter())
