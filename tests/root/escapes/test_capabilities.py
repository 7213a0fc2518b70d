"""CVE-2022-24769, CVE-2022-29162: inheritable capabilities, which a file's own can make permitted for anybody."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.root.escapes.pair import Pair
from tests.root.escapes.weakened import Package, Packages
from tests.root.escapes.weakenings import INHERITABLE, INHERITABLE_OF_EXEC
from tests.root.runtime.conftest import CAPABILITIES, Bundle

pytestmark = pytest.mark.root

_NONE = "0000000000000000"


def _inheritable(status: str) -> str:
    return status.partition("CapInh:")[2].split()[0]


def test_an_exec_with_another_capability_cannot_pass_it_on(bundle: Bundle, packages: Packages) -> None:
    """CVE-2022-29162."""

    def attack(package: Package) -> str:
        with Pair(bundle, package, CAPABILITIES) as pair:
            return _inheritable(pair.look("cat", "/proc/self/status", options=("--cap", "CAP_CHOWN")))

    assert attack(packages(*INHERITABLE_OF_EXEC.patches)) != _NONE
    assert attack(packages()) == _NONE


def test_a_container_of_the_engine_has_none_to_pass_on(root: Path, packages: Packages) -> None:
    """CVE-2022-24769."""

    def attack(package: Package) -> str:
        output, error = package.on_engine("status", root)
        assert error == ""
        return _inheritable(output)

    assert attack(packages(*INHERITABLE.patches)) != _NONE
    assert attack(packages()) == _NONE
