"""Procfs that is another's: masks, read-only paths, parameters and labels must meet the kernel's own.

CVE-2019-16884, CVE-2019-19921, CVE-2023-28642, CVE-2025-31133, CVE-2025-52881.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.root.escapes.weakened import Outcome, Package, Packages, all_but_one
from tests.root.escapes.weakenings import (
    COVERED_PROCFS,
    LATE_LABELS,
    LED_ASTRAY,
    MASK_OF_THE_CONTAINER,
    PARAMETERS_OF_THE_CONTAINER,
    Patch,
)
from tests.root.runtime.conftest import Bundle

pytestmark = pytest.mark.root

_WAYS = pytest.mark.parametrize("way", ["direct", "embryo"])


def _run(package: Package, bundle: Bundle, spec: Any, way: str) -> Outcome:
    spec["linux"]["namespaces"] = [{"type": kind} for kind in ("mount", "pid", "uts", "ipc", "network")]
    return package.run(bundle, spec, way=way, usual_mounts=bundle.spec([])["mounts"])


def _bind(source: Path, destination: str) -> Any:
    return {"destination": destination, "type": "bind", "source": str(source), "options": ["bind"]}


@_WAYS
def test_a_volume_does_not_cover_procfs(bundle: Bundle, packages: Packages, way: str) -> None:
    """CVE-2019-16884: an image that declares a volume at /proc has its labels written into a file of its own."""
    fake = bundle.path / "fake"
    fake.mkdir()
    (fake / "cpuinfo").write_text("fake")
    spec = bundle.spec(["cat", "/proc/cpuinfo"])
    spec["mounts"].append(_bind(fake, "/proc"))

    assert _run(packages(*COVERED_PROCFS.patches), bundle, spec, way) == ("fake", "")
    assert "is inside /proc" in _run(packages(), bundle, spec, way).error


@_WAYS
@pytest.mark.parametrize("place", ["/proc/sys", "/mirror/sys"])
def test_a_volume_does_not_cover_a_part_of_procfs(bundle: Bundle, packages: Packages, way: str, place: str) -> None:
    (bundle.lower / "mirror").symlink_to("/proc")
    fake = bundle.path / "fake"
    fake.mkdir()
    (fake / "mine").write_text("fake")
    spec = bundle.spec(["cat", "/proc/sys/mine"])
    spec["mounts"].append(_bind(fake, place))

    assert _run(packages(*COVERED_PROCFS.patches), bundle, spec, way) == ("fake", "")
    assert "is inside /proc" in _run(packages(), bundle, spec, way).error


@_WAYS
@pytest.mark.parametrize("tree", ["proc", "sys"])
def test_a_symlink_does_not_lead_procfs_elsewhere(bundle: Bundle, packages: Packages, way: str, tree: str) -> None:
    """CVE-2023-28642, CVE-2019-19921: what is masked afterwards is masked where the link leads by then."""
    (bundle.lower / tree).symlink_to("/elsewhere")
    spec = bundle.spec(["ls", "/elsewhere"])
    spec["mounts"].append({"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["ro"]})

    assert {"proc": "self", "sys": "kernel"}[tree] in _run(packages(*LED_ASTRAY.patches), bundle, spec, way).output
    assert "must be mounted on an ordinary directory" in _run(packages(), bundle, spec, way).error


@_WAYS
def test_a_parameter_is_the_kernels(bundle: Bundle, packages: Packages, way: str) -> None:
    """CVE-2025-52881: a write that is meant for /proc/sys goes where the container's links lead."""
    captured = bundle.path / "captured"
    fake = bundle.path / "fake"
    (fake / "net/ipv4").mkdir(parents=True)
    (fake / "net/ipv4/ip_forward").symlink_to(captured)
    spec = bundle.spec(["true"])
    spec["linux"]["sysctl"] = {"net.ipv4.ip_forward": "1"}
    spec["mounts"].append(_bind(fake, "/proc/sys"))

    def attack(*patches: Patch) -> str:
        captured.write_text("")
        _run(packages(*COVERED_PROCFS.patches, *patches), bundle, spec, way)
        return captured.read_text()

    defences = PARAMETERS_OF_THE_CONTAINER.patches
    if way == "direct":  # an embryo does not see the host's files any more: there the link leads nowhere
        assert attack(*defences) == "1"
    for left in all_but_one(defences):
        assert attack(*left) == ""


def test_a_label_is_written_to_the_kernel(bundle: Bundle, packages: Packages) -> None:
    """CVE-2019-16884: here, without AppArmor, the name of the process stands for its label."""
    fake = bundle.path / "fake"
    (fake / "self").mkdir(parents=True)
    captured = fake / "self" / "comm"
    spec = bundle.spec(["sleep", "0"], apparmorProfile="strict")
    spec["mounts"].append(_bind(fake, "/proc"))
    stand_in = (
        Patch(
            "runtime/labels.py",
            "    try:\n        with open(_APPARMOR",
            "    return True\n    try:\n        with open(_APPARMOR",
        ),
        Patch("runtime/labels.py", 'f"/proc/self/attr/{name}"', '"/proc/self/comm"'),
    )

    def attack(*patches: Patch) -> str:
        captured.write_text("")
        _run(packages(*COVERED_PROCFS.patches, *stand_in, *patches), bundle, spec, "direct")
        return captured.read_text()

    assert attack(*LATE_LABELS.patches) == "exec strict"
    for left in all_but_one(LATE_LABELS.patches):
        assert attack(*left) == ""


@_WAYS
def test_a_mask_is_the_null_device_of_the_host(bundle: Bundle, packages: Packages, way: str) -> None:
    """CVE-2025-31133: with the container's /dev/null, which is a link, a mask shows what it should hide, writable."""
    (bundle.path / "dev").mkdir()
    (bundle.path / "dev/null").symlink_to("/proc/sys/kernel/core_pattern")
    spec = bundle.spec(["cat", "/proc/keys"])
    spec["mounts"] = [spec["mounts"][0], _bind(bundle.path / "dev", "/dev")]
    spec["linux"]["maskedPaths"] = ["/proc/keys"]
    *containers, believed = MASK_OF_THE_CONTAINER.patches

    def attack(*patches: Patch) -> Outcome:
        return _run(packages(*patches), bundle, spec, way)

    if way == "direct":  # an embryo has masked it before there was a container
        assert attack(*containers, believed).output == Path("/proc/sys/kernel/core_pattern").read_text()
        assert "is not the null device" in attack(*containers).error
    assert attack(believed) == ("", "")
    assert attack() == ("", "")
