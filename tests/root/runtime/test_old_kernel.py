"""Containers where mount_setattr(2) is missing, as before Linux 5.12: a filter answers for the kernel."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from tests.root.inside import in_a_child
from tests.root.runtime.conftest import PROC, Bundle

from wharf.kernel import mount, namespace, seccomp
from wharf.kernel.mount import MountFlag
from wharf.kernel.namespace import FLAG_OF

pytestmark = pytest.mark.root

_MISSING: Any = {
    "defaultAction": "SCMP_ACT_ALLOW",
    "syscalls": [{"names": ["mount_setattr"], "action": "SCMP_ACT_ERRNO", "errnoRet": errno.ENOSYS}],
}


def on_an_old_kernel(bundle: Bundle, spec: Any, **more: Any) -> str:
    """Return what the container prints, or why there is none."""

    def body() -> tuple[int, str]:
        namespace.unshare(FLAG_OF["mount"])
        mount.mount(None, "/", None, MountFlag.REC | MountFlag.PRIVATE)
        for place in ("source", "source/below"):
            mount.mount("tmpfs", str(bundle.path / place), "tmpfs")
            (bundle.path / place / "below").mkdir()
        seccomp.install(seccomp.compile_filter(_MISSING))
        return tuple(bundle.run(spec, **more))  # type: ignore[return-value]

    (bundle.path / "source").mkdir()
    return in_a_child(body)


def test_attributes_hold_for_binds_and_for_what_is_mounted_below(bundle: Bundle) -> None:
    spec = bundle.spec(["sh", "-c", "grep ' /data' /proc/mounts | cut -d' ' -f2,4; touch /data/below/x 2>&1"])
    source = str(bundle.path / "source")
    options = ["rbind", "nodev", "rro", "rnosuid", "rslave"]
    spec["mounts"].append({"destination": "/data", "source": source, "options": options})

    said = on_an_old_kernel(bundle, spec)

    mounted = "/data ro,nosuid,nodev,relatime\n/data/below ro,nosuid,relatime\n"
    refused = "touch: /data/below/x: Read-only file system\n"
    assert said.replace(",inode64", "") == repr((1, mounted + refused))


@pytest.mark.parametrize("overlay", [True, False])
def test_roots_and_paths_are_read_only_and_masked(bundle: Bundle, overlay: bool) -> None:  # data
    script = "touch /x 2>&1; touch /bin/x 2>&1; ls /etc; echo 1 2>&1 > /proc/sys/vm/swappiness"
    spec = bundle.spec(["sh", "-c", script])
    spec["root"] = {"path": "rootfs" if overlay else "lower", "readonly": True}
    for folder in ("proc", "dev"):
        (bundle.lower / folder).mkdir()
    spec["mounts"] = [PROC]
    spec["linux"] |= {"maskedPaths": ["/etc"], "readonlyPaths": ["/bin", "/proc/sys"]}

    said = on_an_old_kernel(bundle, spec, rootfs=bundle.rootfs if overlay else [])

    assert said.count("Read-only file system") == 3, said
    assert "passwd" not in said


def test_id_mapped_mounts_are_refused_with_the_kernel_that_they_need(bundle: Bundle) -> None:
    spec = bundle.spec(["true"])
    maps = [{"containerID": 0, "hostID": 5000, "size": 1000}]
    mapped = {"destination": "/data", "source": str(bundle.path / "source"), "options": ["bind", "idmap"]}
    spec["mounts"].append({**mapped, "uidMappings": maps, "gidMappings": maps})

    assert "id-mapped mounts need linux 5.12" in on_an_old_kernel(bundle, spec)
