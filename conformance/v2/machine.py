"""Debian's cloud kernel, and a machine that boots it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PACKAGE = "linux-image-cloud-amd64"
DONE = "wharf-vm: pytest exited with "
_MEMORY = "1536"


def unpacked_kernel(folder: Path) -> Path:
    """Return a folder with the kernel's package unpacked in it, downloaded by apt-get unless it is there."""
    unpacked = folder / "kernel"
    if not list(unpacked.glob("boot/vmlinuz-*")):
        folder.mkdir(parents=True, exist_ok=True)
        shown = subprocess.run(["apt-cache", "depends", PACKAGE], capture_output=True, text=True, check=True).stdout
        match = re.search(r"Depends: (linux-image-\S+)", shown)
        assert match, shown
        subprocess.run(["apt-get", "download", match[1]], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        (package,) = folder.glob("linux-image-*.deb")
        subprocess.run(["dpkg-deb", "-x", package, unpacked], check=True)
        package.unlink()
    return unpacked


def command(kernel: Path, initramfs: Path, arguments: Sequence[str], parameters: Sequence[str] = ()) -> list[str]:
    """Return qemu's command line: no acceleration, no devices but a serial line, which is our standard output.

    ``arguments`` are the machine's init's, and so have no spaces; ``parameters`` are more of the kernel's.
    """
    # no_timer_check: a busy host gives an emulated timer too few ticks for the kernel to believe in it.
    line = [
        "console=ttyS0",
        "no_timer_check",
        "panic=-1",
        "quiet",
        "cgroup_no_v1=all",
        "psi=1",
        *parameters,
        "--",
        *arguments,
    ]
    return [
        "qemu-system-x86_64",
        *("-M", "q35", "-accel", "tcg,tb-size=512", "-cpu", "max", "-m", _MEMORY, "-smp", "2"),
        *("-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio"),
        *("-kernel", str(kernel), "-initrd", str(initramfs), "-append", " ".join(line)),
    ]


def run(line: Sequence[str], timeout_s: float) -> int:
    """Run a machine, show what it says, and return what it says that pytest's exit code was; 1 if it does not."""
    code = 1
    with subprocess.Popen(
        line, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, errors="replace"
    ) as qemu:
        assert qemu.stdout
        try:
            for text in _lines(qemu, timeout_s):
                if text.startswith(DONE):
                    code = int(text.removeprefix(DONE))
                else:
                    sys.stdout.write(text + "\n")
                    sys.stdout.flush()
        finally:
            qemu.kill()
    return code


def _lines(qemu: subprocess.Popen[str], timeout_s: float) -> Sequence[str]:
    said, _ = qemu.communicate(timeout=timeout_s)
    return said.splitlines()
