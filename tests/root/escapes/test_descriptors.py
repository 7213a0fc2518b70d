"""CVE-2016-9962, CVE-2024-21626: what a process of the runtime holds of the host when it is in the container."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.root.escapes.pair import Pair
from tests.root.escapes.weakened import Outcome, Package, Packages, all_but_one
from tests.root.escapes.weakenings import LEAKY, OUTSIDE, TRACEABLE
from tests.root.runtime.conftest import CAPABILITIES, Bundle

pytestmark = pytest.mark.root

_LEAKED = "/proc/self/fd/50"


@pytest.fixture
def secret(tmp_path: Path) -> str:
    """A folder of the host's with a file in it, which the runtime's caller has open."""
    folder = tmp_path / "host"
    folder.mkdir()
    (folder / "secret").write_text("of the host")
    return str(folder)


def test_a_process_that_waits_cannot_be_looked_into(bundle: Bundle, packages: Packages) -> None:
    def attack(package: Package) -> str:
        with Pair(bundle, package, CAPABILITIES) as pair:
            return pair.look("ls", "-l", f"/proc/{pair.victim}/fd")

    assert "socket:" in attack(packages(*TRACEABLE.patches))
    assert "Permission denied" in attack(packages())


@pytest.mark.parametrize("way", ["direct", "embryo", "exec"])
def test_a_program_has_no_descriptor_but_its_streams(
    bundle: Bundle, packages: Packages, secret: str, way: str
) -> None:
    def attack(package: Package) -> list[str]:
        return _run(package, bundle, ["ls", "/proc/self/fd"], "/", secret, way).output.split()

    assert "50" in attack(packages(*LEAKY.patches))
    assert attack(packages()) == ["0", "1", "2", "3"]  # 3 is what ls lists them with


@pytest.mark.parametrize("way", ["direct", "exec"])
def test_a_leaked_descriptor_is_no_working_directory(
    bundle: Bundle, packages: Packages, secret: str, way: str
) -> None:
    kept_open, reached, magic_link = OUTSIDE.patches
    defences = (kept_open, reached) if way == "exec" else (kept_open, reached, magic_link)

    def attack(package: Package) -> Outcome:
        return _run(package, bundle, ["cat", "secret"], _LEAKED, secret, way)

    assert list(attack(packages(*defences))) == ["of the host", ""]
    for left in all_but_one(defences):
        output, error = attack(packages(*left))
        assert output == ""
        assert error
    assert "is outside of the container" in attack(packages(*(p for p in defences if p is not reached))).error


def _run(package: Package, bundle: Bundle, command: list[str], cwd: str, leaked: str, way: str) -> Outcome:
    spec: Any = bundle.spec(command, cwd=cwd)
    more: dict[str, Any] = {"leak": leaked}
    if way == "exec":
        more["process"] = spec["process"]
        spec = bundle.spec(["sleep", "60"])
    if way == "embryo":
        spec["linux"]["namespaces"].pop()
        more["usual_mounts"] = spec["mounts"]
    return package.run(bundle, spec, way=way, **more)
