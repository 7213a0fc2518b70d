"""CVE-2020-15257: sockets without a file, which whoever shares the host's network may connect to."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.root.escapes.weakened import Package, Packages
from tests.root.escapes.weakenings import ABSTRACT_SOCKETS

pytestmark = pytest.mark.root


def test_a_container_in_the_hosts_network_cannot_name_a_shims_socket(root: Path, packages: Packages) -> None:
    def attack(package: Package) -> list[str]:
        output, error = package.on_engine("sockets", root)
        assert error == ""
        return [line for line in output.splitlines() if "@" in line and "shim" in line]

    assert attack(packages(*ABSTRACT_SOCKETS.patches)) != []
    assert attack(packages()) == []
