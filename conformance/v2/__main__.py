"""``python -m conformance.v2 [--systemd | --selinux] [PYTEST ARGUMENT...]``: boot the machine and run tests in it.

Its first process is our own, or systemd. Its security module is AppArmor, or SELinux, without a policy.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from conformance.v2.initramfs import Archive, kernel_modules, libraries, tree
from conformance.v2.machine import command, run, unpacked_kernel
from conformance.v2.systemd import FILES, OPTION

_TOP = Path(__file__).parents[2]
_BUILD = _TOP / "build/vm"
_MODULES = (
    "overlay", "bridge", "veth", "nf_tables", "nft_chain_nat", "nft_ct", "nft_nat", "nft_masq", "nft_fib_inet",
    "nft_dup_ipv4", "nft_dup_ipv6", "macvlan", "ipvlan", "8021q", "dummy", "ifb", "sch_tbf", "sch_ingress",
    "cls_u32", "act_mirred", "loop", "xfs", "quota_v2", "tun", "unix_diag", "tcp_diag", "udp_diag", "raw_diag",
    "af_packet_diag", "netlink_diag", "nf_conntrack_netlink",
)  # fmt: skip
_NETWORKS = (  # what needs links that not every kernel has, and that an older one takes our rules
    "test_vlans.py::test_vlan_of_a_link_is_made_for_its_network_and_goes_with_it",
    "test_vlans.py::test_vlan_that_was_there_already_stays",
    "test_vlans.py::test_network_without_a_parent_leads_to_its_containers_alone",
    "test_vlans.py::test_ipvlan_containers_share_the_macs_of_their_parent",
    "test_networks.py::test_published_port_is_reached_from_everywhere",
    "test_publishing.py::test_datagram_to_a_port_where_nobody_listens_is_refused",
    "test_judging.py::test_port_is_shut_until_the_hosts_input_rules_open_it",
)
_SAVED = (  # what needs soft-dirty pages, or long pipes
    "tests/root/runtime/test_saved.py::test_memory_can_be_saved_ahead_where_the_kernel_knows_what_is_written",
    "tests/root/runtime/test_saved.py::test_a_container_goes_on_elsewhere_before_its_memory_is_there",
)
_TESTS = (
    "tests/root/kernel/cgroup", "tests/root/kernel/test_bpf.py", "tests/root/runtime/test_delegation.py",
    "tests/root/engine/test_cgroup2.py", "tests/root/kernel/test_project_quota.py",
    "tests/root/engine/test_project_limits.py", "tests/root/runtime/test_labels.py", *_SAVED,
    *(f"tests/root/network/{test}" for test in _NETWORKS),
)  # fmt: skip
_UNDER_SYSTEMD = ("tests/root/runtime/test_real_systemd.py", "tests/root/engine/test_real_systemd.py")
_SELINUX = "--selinux"
_WITH_SELINUX = ("tests/root/runtime/test_labels.py",)
_PROGRAMS = (
    "/bin/busybox", "/bin/tar", "/usr/sbin/nft", "/usr/sbin/tc", "/usr/sbin/mkfs.ext4", "/usr/sbin/mkfs.xfs",
    "/sbin/apparmor_parser", "/usr/bin/secilc",
)  # fmt: skip
_LIBRARIES = ("libseccomp.so.2", "libnftables.so.1", "libsqlite3.so.0", "libgcc_s.so.1")
_SPECIAL = {OPTION: _UNDER_SYSTEMD, _SELINUX: _WITH_SELINUX}
_NOT_NEEDED = {"mypy", "mypyc", "ruff", "pip", "setuptools", "importlinter", "grimp", "typeshed"}
_APPLETS = (
    "cat", "cp", "dd", "df", "env", "gzip", "head", "id", "ip", "ls", "mkdir", "mknod", "mount", "ps", "readlink",
    "rm", "sed", "sh", "sleep", "stat", "tail", "true", "umount", "wc",
)  # fmt: skip
_OF_PROGRAMS = ("bin", "sbin", "systemd")
_TIMEOUT_S = 600
_USERS = "root:x:0:0::/:/bin/sh\nmessagebus:x:101:101::/nonexistent:/bin/false\n"


def pack(target: Path, kernel: Path, criu: Path | None) -> None:
    """Write the initramfs; ``criu`` is the folder of that program, where there is one."""
    with target.open("wb") as out:
        archive = Archive(out)
        files = [path for path in _files() if path.exists()]
        binaries = [
            path
            for path in files
            if ".so" in path.suffixes or (os.access(path, os.X_OK) and path.parent.name in _OF_PROGRAMS)
        ]
        for path in (*files, *sorted(libraries(binaries)), *_criu(criu)):
            archive.copy(path)
        modules = kernel_modules(kernel, _MODULES)
        for path in modules:
            archive.add(f"/lib/modules/{path.name}", stat.S_IFREG | 0o644, path.read_bytes())
        archive.add("/modules", stat.S_IFREG | 0o644, " ".join(f"/lib/modules/{p.name}" for p in modules).encode())
        archive.add("/init", stat.S_IFREG | 0o755, _init(criu).encode())
        for name in _APPLETS:
            archive.add(f"/bin/{name}", stat.S_IFLNK | 0o777, b"/bin/busybox")
        archive.add("/dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
        for name, text in (("passwd", _USERS), ("group", "root:x:0:\nmessagebus:x:101:\n"), ("hosts", "")):
            archive.add(f"/etc/{name}", stat.S_IFREG | 0o644, text.encode())
        archive.end()


def _init(criu: Path | None) -> str:
    run = f'{sys.executable} -m conformance.v2.inside "$@"'
    path = ":".join(["/bin", "/usr/bin", "/sbin", "/usr/sbin", *([str(criu)] if criu else [])])
    return f"#!/bin/sh\ncd {_TOP}\nPATH={path} HOME=/ exec {run}\n"


def _criu(folder: Path | None) -> Iterator[Path]:
    """Yield the program that is not installed, but unpacked with its libraries (``scripts/criu``)."""
    if folder is not None:
        yield folder / "criu"
        yield from tree(folder.parent / "root/usr", leave_out={"bin", "include", "share"})
        yield from (path for path in (folder.parent / "root").iterdir() if path.is_symlink())


def _find_criu() -> Path | None:
    done = subprocess.run([_TOP / "scripts/criu"], stdout=subprocess.PIPE, text=True, check=False)
    folder = Path(done.stdout.strip())
    return folder if done.returncode == 0 and _BUILD.parent in folder.parents else None


def _files() -> Iterator[Path]:
    real = Path(os.path.realpath(sys.executable))
    venv = Path(sys.prefix)
    yield from (Path(sys.executable), venv / "pyvenv.cfg", real)
    yield from tree(
        real.parents[1] / "lib" / f"python3.{sys.version_info.minor}", leave_out={*_SKIPPED, "site-packages"}
    )
    yield from tree(venv / "lib", leave_out=_SKIPPED | _NOT_NEEDED)
    for name in ("src", "tests", "conformance", "scripts"):
        yield from tree(_TOP / name, leave_out={"__pycache__", "data"})
    yield from (_TOP / "pyproject.toml",)
    yield from map(Path, (*_PROGRAMS, *FILES))
    for folder in (Path("/usr/lib/x86_64-linux-gnu"), Path("/lib/x86_64-linux-gnu")):
        yield from (folder / name for name in _LIBRARIES)


_SKIPPED = {"__pycache__", "test", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3"}


def main() -> int:
    """Return pytest's exit code."""
    arguments = [*sys.argv[1:]] or ["-q"]
    if all(word.startswith("-") for word in arguments):
        arguments += next((tests for option, tests in _SPECIAL.items() if option in arguments), _TESTS)
    parameters = ["lsm=selinux"] if _SELINUX in arguments else []
    kernel = unpacked_kernel(_BUILD)
    (image,) = kernel.glob("boot/vmlinuz-*")
    initramfs = _BUILD / "initramfs"
    pack(initramfs, kernel, _find_criu())
    began = time.monotonic()
    words = [word for word in arguments if word != _SELINUX]
    code = run(command(image, initramfs, words, parameters), _TIMEOUT_S)
    sys.stdout.write(f"{image.name}: {time.monotonic() - began:.0f} s, pytest exited with {code}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
