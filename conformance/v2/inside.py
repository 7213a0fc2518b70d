"""The machine's init: mounts what every machine has, runs pytest, says its exit code, and switches off."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import traceback
from pathlib import Path

from conformance.v2 import systemd
from conformance.v2.machine import DONE

_POWER_OFF = 0x4321FEDC
_FINIT_MODULE = 313
_MS_BIND = 4096
_MS_MOVE = 8192
_LIBC = ctypes.CDLL(None, use_errno=True)


def main(arguments: list[str]) -> None:
    """Never return: an init that does is a panic."""
    code = 1
    try:
        if arguments[:1] == ["--now"]:
            arguments = arguments[1:]
        else:
            _prepare()
        if systemd.OPTION in arguments:
            systemd.become([word for word in arguments if word != systemd.OPTION])
        code = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments], check=False
        ).returncode
    except BaseException:  # noqa: BLE001 - it is shown, and the machine goes off
        traceback.print_exc()
    sys.stdout.write(f"\n{DONE}{code}\n")
    sys.stdout.flush()
    os.sync()
    _LIBC.reboot(ctypes.c_uint(_POWER_OFF))


def _prepare() -> None:
    # The first root cannot be left by pivot_root(2); one that is moved over it can, and is found by setns(2).
    os.makedirs("/root", exist_ok=True)
    _mount("/", "/root", _MS_BIND)
    where = os.getcwd()
    os.chdir("/root")
    _mount(".", "/", _MS_MOVE)
    os.chroot(".")
    os.chdir(where)
    for kind, target in (
        ("proc", "/proc"),
        ("sysfs", "/sys"),
        ("devtmpfs", "/dev"),
        ("tmpfs", "/tmp"),  # noqa: S108 - the machine's own
        ("tmpfs", "/run"),
        ("tmpfs", "/var"),
        ("cgroup2", "/sys/fs/cgroup"),
    ):
        os.makedirs(target, exist_ok=True)
        _mount(kind, target)
    for target, kind in (("/dev/pts", "devpts"), ("/dev/shm", "tmpfs")):  # noqa: S108 - the same
        os.makedirs(target, exist_ok=True)
        _mount(kind, target)
    for kind, target in (("securityfs", "/sys/kernel/security"), ("selinuxfs", "/sys/fs/selinux")):
        if os.path.isdir(target):  # the kernel has it
            _mount(kind, target)
    for module in Path("/modules").read_text().split():
        with open(module, "rb") as file:
            if _LIBC.syscall(_FINIT_MODULE, file.fileno(), b"", 0):
                raise OSError(ctypes.get_errno(), f"loading {module}")
    os.makedirs("/var/lib", exist_ok=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def _mount(kind: str, target: str, flags: int = 0) -> None:
    if _LIBC.mount(kind.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), None):
        raise OSError(ctypes.get_errno(), f"mounting {target}")


if __name__ == "__main__":
    main(sys.argv[1:])
